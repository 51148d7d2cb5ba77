#include "vaultcore/base/file.h"

#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <random>
#include <system_error>

#include "base/posix.h"

namespace vaultcore {
namespace {

constexpr size_t kChunk = 64 << 10;

std::string HintFor(int error_number) {
  switch (error_number) {
    case ENOENT:
      return "check that it exists and that the path is spelled as it is on this machine";
    case EACCES:
    case EPERM:
      return "this program runs as user " + std::to_string(geteuid()) + ", group " +
             std::to_string(getegid()) + ": check the owner and mode of the path";
    case ENOSPC:
    case EDQUOT:
      return "the volume is full: free space on it or raise its size limit";
    case EROFS:
      return "the file system is mounted read-only: mount the volume writable or choose another "
             "path";
    case EISDIR:
      return "this is a folder: name a file";
    case ENOTDIR:
      return "a part of the path that should be a folder is a file";
    case ELOOP:
      return "symbolic links are not followed here: name the file itself";
    case EMFILE:
    case ENFILE:
      return "too many files are open: raise the limit (ulimit -n)";
    default:
      return {};
  }
}

std::string DescribeErrno(int error_number, std::string_view action, std::string_view path) {
  std::string message(action);
  message.append(" ").append(path).append(": ");
  message.append(std::generic_category().message(error_number));
  return message;
}

// Feeds the content of `path` to `sink(bytes)`, piece by piece; `prepare(size)` comes first with
// the size as far as the system knows it.
template <typename Prepare, typename Sink>
Status ReadAll(const std::string& path, size_t max_bytes, Prepare prepare, Sink sink) {
  // Opening /dev/stdin again fails where it is a socket, or where another user opened it.
  const posix::UniqueFd fd(
      path == "/dev/stdin" ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : posix::Retry([&path] {
        return open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
      }));
  if (!fd.valid()) return ErrnoError(errno, "cannot read", path);
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return ErrnoError(errno, "cannot read", path);
  if (S_ISDIR(info.st_mode)) return ErrnoError(EISDIR, "cannot read", path);
  const auto too_large = [&path, max_bytes] {
    return MakeError(ErrorKind::kIo, "cannot read " + path + ": it is larger than " +
                                         std::to_string(max_bytes) + " bytes");
  };
  if (S_ISREG(info.st_mode)) {
    const auto size = static_cast<size_t>(info.st_size);
    if (size > max_bytes) return too_large();
    prepare(size);
  }
  const auto chunk = std::make_unique_for_overwrite<char[]>(kChunk);
  Status result;
  size_t total = 0;
  while (result.ok()) {
    const ssize_t got = posix::Retry([&fd, &chunk] { return read(fd.get(), chunk.get(), kChunk); });
    if (got == 0) break;
    if (got < 0) {
      result = ErrnoError(errno, "cannot read", path);
    } else if (static_cast<size_t>(got) > max_bytes - total) {
      result = too_large();
    } else {
      total += static_cast<size_t>(got);
      sink(std::string_view(chunk.get(), static_cast<size_t>(got)));
    }
  }
  WipeMemory(chunk.get(), kChunk);
  return result;
}

}  // namespace

namespace posix {

Status WriteError(int error_number, std::string_view action, std::string_view path) {
  return MakeError(ErrorKind::kIo, DescribeErrno(error_number, action, path),
                   HintFor(error_number));
}

StatusOr<UniqueFd> OpenFolder(const std::string& path) {
  UniqueFd folder(
      Retry([&path] { return open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!folder.valid()) return WriteError(errno, "cannot open the folder", path);
  return folder;
}

Status CheckReplaceable(int folder_fd, const std::string& name, const std::string& path) {
  struct stat info;
  if (fstatat(folder_fd, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? absl::OkStatus() : WriteError(errno, "cannot write", path);
  }
  if (S_ISREG(info.st_mode)) return absl::OkStatus();
  if (S_ISDIR(info.st_mode)) return WriteError(EISDIR, "cannot write", path);
  if (S_ISLNK(info.st_mode)) {
    return MakeError(ErrorKind::kIo, "cannot write " + path + ": it is a symbolic link",
                     HintFor(ELOOP));
  }
  return MakeError(ErrorKind::kIo, "cannot write " + path + ": it is not a regular file",
                   "name a file that may be replaced");
}

Status CreateFileDurably(int folder_fd, const std::string& name, std::string_view content,
                         mode_t mode, std::string_view shown) {
  const UniqueFd fd(Retry([folder_fd, &name] {
    return openat(folder_fd, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                  0600);
  }));
  if (!fd.valid()) return WriteError(errno, "cannot create", shown);
  Status result;
  while (!content.empty() && result.ok()) {
    const ssize_t put =
        Retry([&fd, content] { return write(fd.get(), content.data(), content.size()); });
    if (put < 0) {
      result = WriteError(errno, "cannot write", shown);
    } else {
      content.remove_prefix(static_cast<size_t>(put));
    }
  }
  // The umask took its part from the mode at creation.
  if (result.ok() && mode != 0600 && fchmod(fd.get(), mode) != 0) {
    result = WriteError(errno, "cannot set the mode of", shown);
  }
  if (result.ok() && Retry([&fd] { return fsync(fd.get()); }) != 0) {
    result = WriteError(errno, "cannot write", shown);
  }
  if (!result.ok()) unlinkat(folder_fd, name.c_str(), 0);
  return result;
}

Status FsyncFolder(int folder_fd, std::string_view shown) {
  if (Retry([folder_fd] { return fsync(folder_fd); }) == 0 || errno == EINVAL) {
    return absl::OkStatus();
  }
  return WriteError(errno, "cannot write the folder", shown);
}

std::string RandomName() {
  constexpr char kDigits[] = "0123456789abcdef";
  std::random_device device;
  std::string name;
  for (int word = 0; word < 2; ++word) {
    const unsigned int bits = device();
    for (unsigned int shift = 0; shift < 32; shift += 4) {
      name.push_back(kDigits[(bits >> shift) & 15]);
    }
  }
  return name;
}

SplitPath Split(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {".", std::string(path)};
  return {slash == 0 ? "/" : std::string(path.substr(0, slash)),
          std::string(path.substr(slash + 1))};
}

}  // namespace posix

Status ErrnoError(int error_number, std::string_view action, std::string_view path) {
  const ErrorKind kind = error_number == ENOENT ? ErrorKind::kNotFound : ErrorKind::kIo;
  return MakeError(kind, DescribeErrno(error_number, action, path), HintFor(error_number));
}

StatusOr<Secret> ReadSecretFile(const std::string& path, size_t max_bytes) {
  SecretBuilder builder;
  Status read = ReadAll(
      path, max_bytes, [&builder](size_t size) { builder.Reserve(size); },
      [&builder](std::string_view bytes) { builder.Append(bytes); });
  if (!read.ok()) return read;
  return builder.Take();
}

StatusOr<std::string> ReadTextFile(const std::string& path, size_t max_bytes) {
  std::string text;
  Status read = ReadAll(
      path, max_bytes, [&text](size_t size) { text.reserve(size); },
      [&text](std::string_view bytes) { text.append(bytes); });
  if (!read.ok()) return read;
  return text;
}

Status WriteFileDurably(const std::string& path, std::string_view content, uint32_t mode) {
  const posix::SplitPath split = posix::Split(path);
  if (split.name.empty()) return posix::WriteError(EISDIR, "cannot write", path);
  VC_ASSIGN_OR_RETURN(const posix::UniqueFd folder, posix::OpenFolder(split.folder));
  VC_RETURN_IF_ERROR(posix::CheckReplaceable(folder.get(), split.name, path));
  const std::string temporary = ".vaultcore-" + posix::RandomName() + ".tmp";
  VC_RETURN_IF_ERROR(
      posix::CreateFileDurably(folder.get(), temporary, content, static_cast<mode_t>(mode), path));
  if (renameat(folder.get(), temporary.c_str(), folder.get(), split.name.c_str()) != 0) {
    const Status error = posix::WriteError(errno, "cannot replace", path);
    unlinkat(folder.get(), temporary.c_str(), 0);
    return error;
  }
  return posix::FsyncFolder(folder.get(), split.folder);
}

}  // namespace vaultcore
