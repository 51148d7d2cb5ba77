// PublishSet: several files that appear together or not at all.
//
// A set has files in folders that it owns (the secret files) and at most one file elsewhere (the
// env file). In an owned folder the files stand as the kubelet lays out a Secret volume, so that
// one rename switches all of them, although the folder itself may be a mount point that cannot be
// renamed:
//
//   ca.crt              -> .vaultcore-current/ca.crt
//   .vaultcore-current  -> .vaultcore-0f3a...
//   .vaultcore-0f3a.../ca.crt                          the file, with its mode
//
// Readers open <folder>/ca.crt. The links are relative and stay inside the folder, so the volume
// can be mounted anywhere, subPath mounts included. The single file is a plain file.
//
// What holds, also when the process is killed or the power fails at any instant:
// - Whoever opens files of an owned folder gets all of the old set or all of the new one (a name
//   that is in only one of the two is absent in the other), and the single file is old or new as
//   a whole.
// - Everything is written and fsynced before anything is switched. Owned folders switch first, one
//   after the other, the single file last: where it is new, everything is new. There is no atomic
//   switch over two places; a run that was cut between them is completed by the next.
// - What a killed run left is hidden (".vaultcore-...", or a name whose link leads nowhere yet) and
//   removed by the next Publish() to the same place.
//
// Where one of the wanted names is a plain file that no earlier set put there, it becomes part of
// the layout first, with unchanged content, and is then switched with the rest.

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
  // Every file to be there after the switch. Folders on the way are created (0755, less the umask)
  // and stay on failure. Below an owned folder, no name may start with ".vaultcore-".
  std::vector<PublishFile> files;
  // Folders owned by this set: files that an earlier set put there and that are not wanted now are
  // gone after the switch. Files that no earlier set published are left alone.
  std::vector<std::string> owned_folders;
};

// Publishes the set. Blocking; waits up to ten seconds for another process that is publishing to
// the same place. Files whose content, mode and owner are already as wanted are not rewritten.
// Errors: kUsage for a set that cannot be (two files at one path, two files outside of the owned
// folders), kIo with path and reason otherwise (full disk, read-only file system, permission); the
// old state is in place then and nothing of the new one is left. The exception: when the last
// fsync fails, after the switch, the error says that the new files may not survive a power failure.
Status Publish(const PublishSet& set);

}  // namespace vaultcore

#endif  // VAULTCORE_BASE_PUBLISH_H_
