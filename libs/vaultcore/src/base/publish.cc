#include "vaultcore/base/publish.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include "base/owned_folder.h"
#include "base/posix.h"

namespace vaultcore {
namespace {

// Where a killed run may have left a single file; the lock of its folder makes one name enough.
constexpr char kStaged[] = ".vaultcore-stage";

// The file of a set that is in none of its owned folders.
class SingleFile {
 public:
  static StatusOr<SingleFile> Open(const std::string& path, const PublishFile& file) {
    const posix::SplitPath split = posix::Split(path);
    VC_ASSIGN_OR_RETURN(posix::UniqueFd fd, OpenAndLock(split.folder));
    SingleFile single(path, split.name, file, std::move(fd));
    single.CleanUp();
    return single;
  }

  Status Stage() {
    if (IsAsWanted(fd_.get(), name_, *file_)) return absl::OkStatus();
    VC_RETURN_IF_ERROR(posix::CheckReplaceable(fd_.get(), name_, path_));
    VC_RETURN_IF_ERROR(posix::CreateFileDurably(fd_.get(), kStaged, file_->content.Reveal(),
                                                static_cast<mode_t>(file_->mode), path_));
    staged_ = true;
    return absl::OkStatus();
  }

  Status Switch() {
    if (!staged_) return absl::OkStatus();
    if (renameat(fd_.get(), kStaged, fd_.get(), name_.c_str()) != 0) {
      return posix::WriteError(errno, "cannot replace", path_);
    }
    return absl::OkStatus();
  }

  Status MakeDurable() {
    if (!staged_) return absl::OkStatus();
    const Status done = posix::FsyncFolder(fd_.get(), path_);
    return Annotate(done, "published, but the new files may not survive a power failure");
  }

  void CleanUp() { unlinkat(fd_.get(), kStaged, 0); }

 private:
  SingleFile(std::string path, std::string name, const PublishFile& file, posix::UniqueFd fd)
      : path_(std::move(path)), name_(std::move(name)), file_(&file), fd_(std::move(fd)) {}

  std::string path_;
  std::string name_;
  const PublishFile* file_;
  posix::UniqueFd fd_;
  bool staged_ = false;
};

// A set, sorted by place. Folders are locked in the order of the map, the same in all processes.
struct Plan {
  std::map<std::string, OwnedFolder::Wanted> folders;
  std::string single_path;
  const PublishFile* single = nullptr;
};

Status Refuse(const std::string& path, std::string_view reason) {
  return MakeError(ErrorKind::kUsage, "cannot publish " + path + ": " + std::string(reason));
}

// Absolute, without ".", "..", "//" and a trailing slash, by its text alone.
StatusOr<std::string> Normalize(const std::string& path) {
  if (path.empty()) return Refuse("\"\"", "the path is empty");
  if (path.find('\0') != std::string::npos) return Refuse(path, "the path holds a NUL character");
  std::error_code error;
  std::string normal = std::filesystem::absolute(path, error).lexically_normal().string();
  if (error) return posix::WriteError(error.value(), "cannot find the working folder for", path);
  while (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  return normal;
}

bool IsBelow(const std::string& path, const std::string& folder) {
  return path.size() > folder.size() && path.compare(0, folder.size(), folder) == 0 &&
         (path[folder.size()] == '/' || folder == "/");
}

Status AddFile(const PublishFile& file, Plan& plan) {
  if (!file.path.empty() && file.path.back() == '/') {
    return Refuse(file.path, "the path names a folder");
  }
  VC_ASSIGN_OR_RETURN(const std::string path, Normalize(file.path));
  for (auto& [folder, wanted] : plan.folders) {
    if (path == folder) return Refuse(path, "it is also one of the output folders");
    if (!IsBelow(path, folder)) continue;
    const std::string relative = path.substr(folder == "/" ? 1 : folder.size() + 1);
    if (relative.compare(0, kPublishPrefix.size(), kPublishPrefix) == 0) {
      return Refuse(path, "names that start with .vaultcore- are reserved");
    }
    if (!wanted.emplace(relative, &file).second) return Refuse(path, "two files have this path");
    return absl::OkStatus();
  }
  if (path == plan.single_path) return Refuse(path, "two files have this path");
  if (plan.single != nullptr) {
    return Refuse(
        path, "only one file can be outside of the output folders, which is " + plan.single_path);
  }
  plan.single_path = path;
  plan.single = &file;
  return absl::OkStatus();
}

StatusOr<Plan> MakePlan(const PublishSet& set) {
  Plan plan;
  for (const std::string& folder : set.owned_folders) {
    VC_ASSIGN_OR_RETURN(const std::string path, Normalize(folder));
    plan.folders.try_emplace(path);
  }
  for (const auto& inner : plan.folders) {
    for (const auto& outer : plan.folders) {
      if (IsBelow(inner.first, outer.first)) {
        return Refuse(inner.first, "it is inside of another output folder, " + outer.first);
      }
    }
  }
  for (const PublishFile& file : set.files) VC_RETURN_IF_ERROR(AddFile(file, plan));
  // Not both "a" and "a/b".
  for (const auto& [folder, wanted] : plan.folders) {
    for (const auto& entry : wanted) {
      for (size_t slash = entry.first.find('/'); slash != std::string::npos;
           slash = entry.first.find('/', slash + 1)) {
        if (wanted.count(entry.first.substr(0, slash)) > 0) {
          return Refuse(folder + "/" + entry.first, "a file has the name of its folder");
        }
      }
    }
  }
  return plan;
}

class Publication {
 public:
  Status Open(const Plan& plan) {
    for (const auto& [path, wanted] : plan.folders) {
      VC_RETURN_IF_ERROR(CheckNotOpen(path));
      VC_ASSIGN_OR_RETURN(OwnedFolder folder, OwnedFolder::Open(path));
      folders_.push_back(std::move(folder));
    }
    if (plan.single == nullptr) return absl::OkStatus();
    VC_RETURN_IF_ERROR(CheckNotOpen(posix::Split(plan.single_path).folder));
    VC_ASSIGN_OR_RETURN(SingleFile single, SingleFile::Open(plan.single_path, *plan.single));
    single_ = std::move(single);
    return absl::OkStatus();
  }

  Status Stage(const Plan& plan) {
    auto folder = folders_.begin();
    for (const auto& entry : plan.folders) VC_RETURN_IF_ERROR((folder++)->Stage(entry.second));
    if (single_) VC_RETURN_IF_ERROR(single_->Stage());
    for (OwnedFolder& owned : folders_) VC_RETURN_IF_ERROR(owned.Prepare());
    return absl::OkStatus();
  }

  Status Switch() {
    for (OwnedFolder& folder : folders_) VC_RETURN_IF_ERROR(folder.Switch());
    return single_ ? single_->Switch() : absl::OkStatus();
  }

  void RollBack() {
    for (OwnedFolder& folder : folders_) folder.RollBack();
  }

  void CleanUp() {
    for (OwnedFolder& folder : folders_) folder.CleanUp();
    if (single_) single_->CleanUp();
  }

  Status MakeDurable() { return single_ ? single_->MakeDurable() : absl::OkStatus(); }

 private:
  // One folder under two names, by a link or a mount, would wait for its own lock.
  Status CheckNotOpen(const std::string& path) const {
    struct stat info;
    if (stat(path.c_str(), &info) != 0) return absl::OkStatus();
    for (const OwnedFolder& folder : folders_) {
      struct stat other;
      if (fstat(folder.fd(), &other) == 0 && info.st_dev == other.st_dev &&
          info.st_ino == other.st_ino) {
        return Refuse(path, "this is one of the output folders under another name");
      }
    }
    return absl::OkStatus();
  }

  std::vector<OwnedFolder> folders_;
  std::optional<SingleFile> single_;
};

}  // namespace

Status Publish(const PublishSet& set) {
  VC_ASSIGN_OR_RETURN(const Plan plan, MakePlan(set));
  Publication publication;
  VC_RETURN_IF_ERROR(publication.Open(plan));
  Status status = publication.Stage(plan);
  if (status.ok()) status = publication.Switch();
  if (status.ok()) {
    status = publication.MakeDurable();
  } else {
    publication.RollBack();
  }
  publication.CleanUp();
  return status;
}

}  // namespace vaultcore
