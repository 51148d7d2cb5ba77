// PublishSet: several files that appear together or not at all.
//
// A set has an optional single file (the env file) and an optional folder whose whole content it
// owns (the secret files). Files are staged beside their place and fsynced; only then one switch
// makes all of them visible. On failure before the switch nothing changes and the staged files are
// removed. See docs/ARCHITECTURE.md, "Publishing", for how the switch stays atomic when the target
// folder is a mount point that cannot be renamed.

#ifndef VAULTCORE_BASE_PUBLISH_H_
#define VAULTCORE_BASE_PUBLISH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "vaultcore/base/secret.h"
#include "vaultcore/base/status.h"

namespace vaultcore {

struct PublishFile {
  std::string path;  // absolute, or relative to the working folder
  Secret content;
  uint32_t mode = 0600;
};

struct PublishSet {
  // Every file to be there after the switch. Parent folders are created (0755 for intermediate
  // ones, never world-writable).
  std::vector<PublishFile> files;
  // Folders owned by this set: files that an earlier set of the same kind put there and that are
  // not wanted now are gone after the switch. Files that no earlier set published are left alone.
  std::vector<std::string> owned_folders;
};

// Publishes the set. Blocking. Errors: kIo with path and reason (full disk, read-only file system,
// permission); the old state is intact then. Files whose content and mode are already as wanted are
// not rewritten.
Status Publish(const PublishSet& set);

}  // namespace vaultcore

#endif  // VAULTCORE_BASE_PUBLISH_H_
