// Files: bounded reads and durable writes. POSIX lives here and in publish.h, errno is mapped here
// and nowhere else.
//
// Blocking; no shared state, so thread-safe for different paths. Errors are kIo with the path, the
// system's reason and, for the common ones (no space, read-only, not permitted), a hint.

#ifndef VAULTCORE_BASE_FILE_H_
#define VAULTCORE_BASE_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "vaultcore/base/secret.h"
#include "vaultcore/base/status.h"

namespace vaultcore {

// "`action` `path`: No space left on device" with a hint; kNotFound for ENOENT, kIo otherwise.
Status ErrnoError(int error_number, std::string_view action, std::string_view path);

// The whole file, at most `max_bytes` (kIo beyond). Reads pipes and /dev/stdin too. The string
// version is for files that hold no secret.
StatusOr<Secret> ReadSecretFile(const std::string& path, size_t max_bytes = 16 << 20);
StatusOr<std::string> ReadTextFile(const std::string& path, size_t max_bytes = 64 << 20);

// Replaces `path` by `content` so that a reader, or a crash at any instant, sees the old file or
// the new one, whole: written beside it with `mode` (created exclusively, symbolic links not
// followed), fsync, rename, fsync of the folder. What was written beside is removed on failure.
Status WriteFileDurably(const std::string& path, std::string_view content, uint32_t mode = 0600);

}  // namespace vaultcore

#endif  // VAULTCORE_BASE_FILE_H_
