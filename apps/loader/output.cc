#include "loader/output.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>
#include <utility>

#include "common/ui.h"

namespace loader {

using vaultcore::ErrorKind;
using vaultcore::LoaderConfig;
using vaultcore::MakeError;
using vaultcore::PublishSet;
using vaultcore::StatusOr;

namespace {

constexpr size_t kMaxTerminationReason = 4096;

// Only one file of a set can stand alone; a further one's folder takes part in the switch.
void OwnFolderOf(const std::string& path, PublishSet& set) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "."
                             : slash == 0               ? "/"
                                                        : path.substr(0, slash);
  for (const std::string& owned : set.owned_folders) {
    if (folder == owned || folder.starts_with(owned + "/")) return;
  }
  set.owned_folders.push_back(folder);
}

}  // namespace

StatusOr<PublishSet> MakePublishSet(const LoaderConfig& config, Assembled assembled) {
  PublishSet set;
  const bool has_env_file = config.env_enabled || !assembled.variables.empty();
  if (has_env_file) {
    set.files.push_back({.path = config.env_file,
                         .content = FormatEnvironment(assembled.variables, config.env_format,
                                                      config.env_expansion_safe),
                         .mode = config.env_mode});
  }
  if (config.files_enabled || !assembled.files.empty()) {
    set.owned_folders.push_back(config.files_folder);
  }
  for (auto& [name, file] : assembled.files) {
    set.files.push_back({.path = absl::StrCat(config.files_folder, "/", name),
                         .content = std::move(file.content),
                         .mode = config.files_mode});
  }
  const bool stands_alone = assembled.rendered.size() == 1 && !has_env_file;
  for (RenderedFile& file : assembled.rendered) {
    if (!stands_alone) OwnFolderOf(file.path, set);
    set.files.push_back(
        {.path = std::move(file.path), .content = std::move(file.content), .mode = file.mode});
  }
  std::set<std::string_view> taken;
  for (const vaultcore::PublishFile& file : set.files) {
    if (taken.insert(file.path).second) continue;
    return MakeError(ErrorKind::kUsage,
                     absl::StrCat("two of the env file, the secret files and the templates' "
                                  "destinations are the same file ",
                                  file.path),
                     "choose another secrets.envSecrets.outputFile or destination");
  }
  return set;
}

void LeaveTerminationReason(const std::string& path, std::string_view text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return;
  struct stat info;
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && ftruncate(fd, 0) == 0) {
    (void)apps::WriteAll(fd, text.substr(0, kMaxTerminationReason), path);
  }
  close(fd);
}

}  // namespace loader
