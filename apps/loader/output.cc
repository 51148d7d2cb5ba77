#include "loader/output.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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
  if (config.files_enabled) set.owned_folders.push_back(config.files_folder);
  for (auto& [name, file] : assembled.files) {
    std::string path = absl::StrCat(config.files_folder, "/", name);
    if (has_env_file && path == config.env_file) {
      return MakeError(ErrorKind::kUsage,
                       absl::StrCat("the env file and a secret file would both be ", path),
                       "choose another secrets.envSecrets.outputFile");
    }
    set.files.push_back(
        {.path = std::move(path), .content = std::move(file.content), .mode = config.files_mode});
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
