// One folder of a PublishSet: its layout is in publish.h. Not a public header.
//
// The order of calls is Open, Stage, Prepare, Switch, then CleanUp; before Switch, CleanUp alone
// takes everything back, and after it RollBack and CleanUp. What the folder shows is decided by one
// name, the link ".vaultcore-current", and CleanUp brings the rest in line with it, after a
// success, a failure or a killed run alike.

#ifndef VAULTCORE_BASE_OWNED_FOLDER_H_
#define VAULTCORE_BASE_OWNED_FOLDER_H_

#include <map>
#include <string>
#include <vector>

#include "base/posix.h"
#include "vaultcore/base/publish.h"

namespace vaultcore {

// Names that start so belong to Publish().
inline constexpr std::string_view kPublishPrefix = ".vaultcore-";

// Opens `path`, created with the folders above it where missing, and locks it against other
// processes that publish there.
StatusOr<posix::UniqueFd> OpenAndLock(const std::string& path);

// True when `name` in `folder_fd` is a regular file of this user with exactly this content and
// mode.
bool IsAsWanted(int folder_fd, const std::string& name, const PublishFile& wanted);

class OwnedFolder {
 public:
  // By path below the folder, "ca.crt" or "certs/ca.crt".
  using Wanted = std::map<std::string, const PublishFile*>;

  static StatusOr<OwnedFolder> Open(const std::string& path);

  int fd() const { return fd_.get(); }

  // Writes the wanted files into a folder of their own. Nothing that is visible changes.
  Status Stage(const Wanted& wanted);
  // Puts the links of new names, which lead nowhere until the switch.
  Status Prepare();
  Status Switch();
  void RollBack();
  // Best effort: what stays is found by the next run.
  void CleanUp();

 private:
  OwnedFolder(std::string path, posix::UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  Status ReadCurrent();
  StatusOr<std::string> MakeGeneration();
  Status MakeFoldersOf(const std::string& generation, const std::string& relative) const;
  Status FsyncGeneration(const std::string& generation) const;
  // The files of a generation, by path below it.
  StatusOr<std::vector<std::string>> FilesOf(const std::string& generation) const;
  // Puts plain files that stand at wanted names into the layout, visibly unchanged.
  Status Adopt(const std::vector<std::string>& names);
  Status PutLink(const std::string& name, const std::string& target);
  // Makes `generation` the current one; none when empty.
  Status Point(const std::string& generation);
  std::string Shown(std::string_view relative) const { return path_ + "/" + std::string(relative); }

  std::string path_;
  posix::UniqueFd fd_;
  std::string current_;   // the generation that is visible; empty when there is none
  std::string staged_;    // the one to be; equal to current_ when nothing changes
  std::string previous_;  // what was visible before Switch()
  Wanted wanted_;
};

}  // namespace vaultcore

#endif  // VAULTCORE_BASE_OWNED_FOLDER_H_
