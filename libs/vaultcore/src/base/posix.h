// What file.cc and publish.cc share: descriptors that close themselves and whole writes. Not a
// public header.

#ifndef VAULTCORE_BASE_POSIX_H_
#define VAULTCORE_BASE_POSIX_H_

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "vaultcore/base/status.h"

namespace vaultcore::posix {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  ~UniqueFd() { Reset(); }
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      Reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  void Reset() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

  int fd_ = -1;
};

// Repeats a system call that a signal interrupted.
template <typename Call>
auto Retry(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

// ErrnoError, but kIo also where something is missing: for writes, whose failure is never "the
// secret is missing".
Status WriteError(int error_number, std::string_view action, std::string_view path);

// A descriptor of the folder `path`, symbolic links followed.
StatusOr<UniqueFd> OpenFolder(const std::string& path);

// An error unless `name` may be replaced: nothing is there, or a regular file. Writing through a
// link or over a device would change something that `path` does not name, and renaming over it
// would replace it: /dev/stdout by a file, for one.
Status CheckReplaceable(int folder_fd, const std::string& name, const std::string& path);

// Writes all of `content` to a new file `name` of the folder `folder_fd`, with exactly `mode`, and
// fsyncs it. Fails when the name is taken, symbolic links included. On failure the file is removed.
// `shown` stands for the file in errors.
Status CreateFileDurably(int folder_fd, const std::string& name, std::string_view content,
                         mode_t mode, std::string_view shown);

// Makes the names of a folder durable. A file system that cannot (EINVAL) has nothing to make
// durable.
Status FsyncFolder(int folder_fd, std::string_view shown);

// 16 hexadecimal digits that no other process uses at the same time.
std::string RandomName();

// "a/b" is {"a", "b"}, "b" is {".", "b"}, "/b" is {"/", "b"}. The name is empty where `path` ends
// in a slash.
struct SplitPath {
  std::string folder;
  std::string name;
};
SplitPath Split(std::string_view path);

}  // namespace vaultcore::posix

#endif  // VAULTCORE_BASE_POSIX_H_
