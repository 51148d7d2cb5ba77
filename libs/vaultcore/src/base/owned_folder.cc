#include "base/owned_folder.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <set>
#include <system_error>
#include <thread>

namespace vaultcore {
namespace {

namespace fs = std::filesystem;

constexpr char kCurrent[] = ".vaultcore-current";
constexpr auto kLockPatience = std::chrono::seconds(10);
constexpr auto kLockPause = std::chrono::milliseconds(20);

std::string PathIn(std::string_view folder, std::string_view name) {
  std::string path(folder);
  return path.append("/").append(name);
}

// Where the link of a name leads.
std::string TargetOf(const std::string& name) { return PathIn(kCurrent, name); }

std::string TopOf(const std::string& relative) { return relative.substr(0, relative.find('/')); }

bool HasPublishPrefix(std::string_view name) {
  return name.substr(0, kPublishPrefix.size()) == kPublishPrefix;
}

// Where the link `name` leads; empty when it is no link.
std::string ReadLink(int folder_fd, const std::string& name) {
  char target[4096];
  const ssize_t length = readlinkat(folder_fd, name.c_str(), target, sizeof target);
  return length < 0 ? std::string() : std::string(target, static_cast<size_t>(length));
}

posix::UniqueFd OpenFolderAt(int folder_fd, const std::string& name) {
  return posix::UniqueFd(posix::Retry([folder_fd, &name] {
    return openat(folder_fd, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  }));
}

// A new folder, as open as the one around it: who may read a file is a matter of the file's mode.
// The group that a setgid volume hands down is kept. On failure errno says why.
bool MakeFolder(int folder_fd, const std::string& name) {
  if (mkdirat(folder_fd, name.c_str(), 0755) != 0) return false;
  const posix::UniqueFd fd = OpenFolderAt(folder_fd, name);
  struct stat info;
  return fd.valid() && fstat(fd.get(), &info) == 0 &&
         fchmod(fd.get(), (info.st_mode & S_ISGID) | 0755) == 0;
}

// Creates what is missing of `path`, top down, each made durable in the folder above it.
Status CreateFolders(const std::string& path) {
  const std::string above = posix::Split(path).folder;
  if (mkdir(path.c_str(), 0755) != 0) {
    if (errno == EEXIST) return absl::OkStatus();
    if (errno != ENOENT) return posix::WriteError(errno, "cannot create the folder", path);
    VC_RETURN_IF_ERROR(CreateFolders(above));
    if (mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
      return posix::WriteError(errno, "cannot create the folder", path);
    }
  }
  VC_ASSIGN_OR_RETURN(const posix::UniqueFd parent, posix::OpenFolder(above));
  return posix::FsyncFolder(parent.get(), above);
}

// Another process holds the lock for milliseconds, unless it was stopped. File systems without
// locks have no second publisher either: the volumes of a pod are local.
Status Lock(int folder_fd, const std::string& path) {
  const auto give_up = std::chrono::steady_clock::now() + kLockPatience;
  while (posix::Retry([folder_fd] { return flock(folder_fd, LOCK_EX | LOCK_NB); }) != 0 &&
         errno == EWOULDBLOCK) {
    if (std::chrono::steady_clock::now() >= give_up) {
      return MakeError(ErrorKind::kIo, "another process is publishing to " + path,
                       "run one at a time for one output folder");
    }
    std::this_thread::sleep_for(kLockPause);
  }
  return absl::OkStatus();
}

}  // namespace

StatusOr<posix::UniqueFd> OpenAndLock(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0 && errno == ENOENT) VC_RETURN_IF_ERROR(CreateFolders(path));
  VC_ASSIGN_OR_RETURN(posix::UniqueFd folder, posix::OpenFolder(path));
  VC_RETURN_IF_ERROR(Lock(folder.get(), path));
  return folder;
}

bool IsAsWanted(int folder_fd, const std::string& name, const PublishFile& wanted) {
  const posix::UniqueFd fd(posix::Retry([folder_fd, &name] {
    // O_NONBLOCK: a pipe of this name must not hold us up.
    return openat(folder_fd, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  }));
  struct stat info;
  if (!fd.valid() || fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode) ||
      (info.st_mode & 07777) != wanted.mode || info.st_uid != geteuid() ||
      static_cast<size_t>(info.st_size) != wanted.content.size()) {
    return false;
  }
  // One byte more than wanted, to see the end.
  const size_t room = wanted.content.size() + 1;
  const auto bytes = std::make_unique_for_overwrite<char[]>(room);
  size_t size = 0;
  while (size < room) {
    const ssize_t got = posix::Retry(
        [&fd, &bytes, size, room] { return read(fd.get(), bytes.get() + size, room - size); });
    if (got <= 0) break;
    size += static_cast<size_t>(got);
  }
  const bool same = std::string_view(bytes.get(), size) == wanted.content.Reveal();
  WipeMemory(bytes.get(), size);
  return same;
}

StatusOr<OwnedFolder> OwnedFolder::Open(const std::string& path) {
  VC_ASSIGN_OR_RETURN(posix::UniqueFd fd, OpenAndLock(path));
  OwnedFolder folder(path, std::move(fd));
  VC_RETURN_IF_ERROR(folder.ReadCurrent());
  folder.CleanUp();
  return folder;
}

Status OwnedFolder::ReadCurrent() {
  struct stat info;
  if (fstatat(fd_.get(), kCurrent, &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? absl::OkStatus()
                           : posix::WriteError(errno, "cannot read", Shown(kCurrent));
  }
  const std::string target = ReadLink(fd_.get(), kCurrent);
  if (!HasPublishPrefix(target) || target.find('/') != std::string::npos) {
    return MakeError(ErrorKind::kIo, Shown(kCurrent) + " is not what publishing left there",
                     "remove it, or choose another folder");
  }
  // Only what is surely gone may be taken for "nothing is published": CleanUp removes the rest.
  if (fstatat(fd_.get(), target.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) {
    current_ = previous_ = target;
  } else if (errno != ENOENT) {
    return posix::WriteError(errno, "cannot read", Shown(target));
  }
  return absl::OkStatus();
}

StatusOr<std::string> OwnedFolder::MakeGeneration() {
  std::string name(kPublishPrefix);
  name += posix::RandomName();
  if (!MakeFolder(fd_.get(), name)) {
    return posix::WriteError(errno, "cannot create a folder in", path_);
  }
  return name;
}

Status OwnedFolder::MakeFoldersOf(const std::string& generation,
                                  const std::string& relative) const {
  for (size_t slash = relative.find('/'); slash != std::string::npos;
       slash = relative.find('/', slash + 1)) {
    const std::string folder = PathIn(generation, relative.substr(0, slash));
    if (!MakeFolder(fd_.get(), folder) && errno != EEXIST) {
      return posix::WriteError(errno, "cannot create the folder of", Shown(relative));
    }
  }
  return absl::OkStatus();
}

Status OwnedFolder::FsyncGeneration(const std::string& generation) const {
  std::error_code error;
  for (fs::recursive_directory_iterator entry(Shown(generation), error), end;
       !error && entry != end; entry.increment(error)) {
    if (!entry->is_directory(error)) continue;
    VC_ASSIGN_OR_RETURN(const posix::UniqueFd folder, posix::OpenFolder(entry->path().string()));
    VC_RETURN_IF_ERROR(posix::FsyncFolder(folder.get(), path_));
  }
  if (error) return posix::WriteError(error.value(), "cannot read", path_);
  VC_ASSIGN_OR_RETURN(const posix::UniqueFd folder, posix::OpenFolder(Shown(generation)));
  return posix::FsyncFolder(folder.get(), path_);
}

StatusOr<std::vector<std::string>> OwnedFolder::FilesOf(const std::string& generation) const {
  std::vector<std::string> files;
  if (generation.empty()) return files;
  const std::string root = Shown(generation);
  std::error_code error;
  for (fs::recursive_directory_iterator entry(root, error), end; !error && entry != end;
       entry.increment(error)) {
    const bool folder = entry->is_directory(error) && !entry->is_symlink(error);
    if (!folder) files.push_back(entry->path().string().substr(root.size() + 1));
  }
  if (error) return posix::WriteError(error.value(), "cannot read", path_);
  return files;
}

Status OwnedFolder::Stage(const Wanted& wanted) {
  wanted_ = wanted;
  staged_ = current_;
  VC_ASSIGN_OR_RETURN(const std::vector<std::string> present, FilesOf(current_));
  std::set<std::string> unchanged;
  for (const std::string& relative : present) {
    const auto found = wanted.find(relative);
    if (found != wanted.end() &&
        IsAsWanted(fd_.get(), PathIn(current_, relative), *found->second)) {
      unchanged.insert(relative);
    }
  }
  if (present.size() == wanted.size() && unchanged.size() == wanted.size()) {
    return absl::OkStatus();
  }
  staged_.clear();
  if (wanted.empty()) return absl::OkStatus();
  VC_ASSIGN_OR_RETURN(const std::string generation, MakeGeneration());
  for (const auto& [relative, file] : wanted) {
    VC_RETURN_IF_ERROR(MakeFoldersOf(generation, relative));
    const std::string place = PathIn(generation, relative);
    // A file system that refuses a second name for the file gets a second file.
    if (unchanged.count(relative) > 0 &&
        linkat(fd_.get(), PathIn(current_, relative).c_str(), fd_.get(), place.c_str(), 0) == 0) {
      continue;
    }
    VC_RETURN_IF_ERROR(posix::CreateFileDurably(fd_.get(), place, file->content.Reveal(),
                                                static_cast<mode_t>(file->mode), Shown(relative)));
  }
  VC_RETURN_IF_ERROR(FsyncGeneration(generation));
  staged_ = generation;
  return absl::OkStatus();
}

Status OwnedFolder::Prepare() {
  std::set<std::string> names;
  for (const auto& wanted : wanted_) names.insert(TopOf(wanted.first));
  std::vector<std::string> plain_files;
  std::vector<std::string> missing;
  for (const std::string& name : names) {
    struct stat info;
    if (fstatat(fd_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT) return posix::WriteError(errno, "cannot publish", Shown(name));
      missing.push_back(name);
    } else if (S_ISREG(info.st_mode)) {
      plain_files.push_back(name);
    } else if (ReadLink(fd_.get(), name) != TargetOf(name)) {
      return MakeError(ErrorKind::kIo,
                       "cannot publish " + Shown(name) + ": what stands there is not a plain file",
                       "move it away, or choose another output folder");
    }
  }
  if (!plain_files.empty()) VC_RETURN_IF_ERROR(Adopt(plain_files));
  for (const std::string& name : missing) {
    if (symlinkat(TargetOf(name).c_str(), fd_.get(), name.c_str()) != 0) {
      return posix::WriteError(errno, "cannot create", Shown(name));
    }
  }
  return posix::FsyncFolder(fd_.get(), path_);
}

Status OwnedFolder::Adopt(const std::vector<std::string>& names) {
  VC_ASSIGN_OR_RETURN(const std::string generation, MakeGeneration());
  VC_ASSIGN_OR_RETURN(const std::vector<std::string> present, FilesOf(current_));
  for (const std::string& relative : present) {
    // A plain file that replaced one of our links is what readers see now.
    if (std::find(names.begin(), names.end(), TopOf(relative)) != names.end()) continue;
    VC_RETURN_IF_ERROR(MakeFoldersOf(generation, relative));
    if (linkat(fd_.get(), PathIn(current_, relative).c_str(), fd_.get(),
               PathIn(generation, relative).c_str(), 0) != 0) {
      return posix::WriteError(errno, "cannot link", Shown(relative));
    }
  }
  for (const std::string& name : names) {
    if (linkat(fd_.get(), name.c_str(), fd_.get(), PathIn(generation, name).c_str(), 0) != 0) {
      return posix::WriteError(errno, "cannot take over", Shown(name));
    }
  }
  VC_RETURN_IF_ERROR(FsyncGeneration(generation));
  VC_RETURN_IF_ERROR(posix::FsyncFolder(fd_.get(), path_));
  VC_RETURN_IF_ERROR(Point(generation));
  current_ = previous_ = generation;
  for (const std::string& name : names) VC_RETURN_IF_ERROR(PutLink(name, TargetOf(name)));
  return absl::OkStatus();
}

Status OwnedFolder::PutLink(const std::string& name, const std::string& target) {
  const std::string beside = std::string(kPublishPrefix) + posix::RandomName();
  if (symlinkat(target.c_str(), fd_.get(), beside.c_str()) != 0) {
    return posix::WriteError(errno, "cannot create a link in", path_);
  }
  if (renameat(fd_.get(), beside.c_str(), fd_.get(), name.c_str()) != 0) {
    const Status error = posix::WriteError(errno, "cannot replace", Shown(name));
    unlinkat(fd_.get(), beside.c_str(), 0);
    return error;
  }
  return absl::OkStatus();
}

Status OwnedFolder::Point(const std::string& generation) {
  if (!generation.empty()) return PutLink(kCurrent, generation);
  if (unlinkat(fd_.get(), kCurrent, 0) == 0 || errno == ENOENT) return absl::OkStatus();
  return posix::WriteError(errno, "cannot remove", Shown(kCurrent));
}

Status OwnedFolder::Switch() {
  if (staged_ == current_) return absl::OkStatus();
  VC_RETURN_IF_ERROR(Point(staged_));
  current_ = staged_;
  return posix::FsyncFolder(fd_.get(), path_);
}

void OwnedFolder::RollBack() {
  if (current_ == previous_ || !Point(previous_).ok()) return;
  current_ = previous_;
  static_cast<void>(posix::FsyncFolder(fd_.get(), path_));
}

void OwnedFolder::CleanUp() {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(path_, error), end; !error && entry != end;
       entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  for (const std::string& name : names) {
    if (HasPublishPrefix(name)) {
      const bool in_use = !current_.empty() && (name == kCurrent || name == current_);
      if (!in_use) fs::remove_all(Shown(name), error);
    } else if (struct stat info; ReadLink(fd_.get(), name) == TargetOf(name) &&
                                 fstatat(fd_.get(), name.c_str(), &info, 0) != 0 &&
                                 errno == ENOENT) {
      unlinkat(fd_.get(), name.c_str(), 0);
    }
  }
}

}  // namespace vaultcore
