#include "vaultcore/base/cancel.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace vaultcore {

static_assert(std::atomic<bool>::is_always_lock_free, "Cancel() runs in signal handlers");

Cancellation::Cancellation() {
  int fds[2];
  if (pipe(fds) != 0) return;
  for (const int fd : fds) {
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
  }
  fds_[0] = fds[0];
  fds_[1] = fds[1];
}

Cancellation::~Cancellation() {
  for (const int fd : fds_) {
    if (fd >= 0) close(fd);
  }
}

void Cancellation::Cancel() noexcept {
  if (cancelled_.exchange(true, std::memory_order_acq_rel) || fds_[1] < 0) return;
  const int saved_errno = errno;
  while (write(fds_[1], "!", 1) < 0 && errno == EINTR) {
  }
  errno = saved_errno;
}

}  // namespace vaultcore
