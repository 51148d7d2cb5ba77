#include "net/stream.h"

#include <sys/socket.h>

#include <cerrno>
#include <system_error>

#include "net/origin.h"

namespace vaultcore::net {

ssize_t ReceiveOn(int fd, void* data, size_t size) {
  ssize_t count;
  do {
    count = recv(fd, data, size, 0);
  } while (count < 0 && errno == EINTR);
  return count;
}

ssize_t SendOn(int fd, const void* data, size_t size) {
#ifdef MSG_NOSIGNAL
  constexpr int kFlags = MSG_NOSIGNAL;
#else
  constexpr int kFlags = 0;  // the socket has SO_NOSIGPIPE
#endif
  ssize_t count;
  do {
    count = send(fd, data, size, kFlags);
  } while (count < 0 && errno == EINTR);
  return count;
}

bool WouldBlock(int error_number) { return error_number == EAGAIN || error_number == EWOULDBLOCK; }

std::string ErrnoClause(int error_number) {
  return AsClause(std::generic_category().message(error_number));
}

IoResult PlainStream::Read(char* data, size_t size, size_t& count) {
  const ssize_t received = ReceiveOn(fd_, data, size);
  if (received < 0) return Failed(IoResult::kWantRead);
  if (received == 0) return IoResult::kEnd;
  count = static_cast<size_t>(received);
  return IoResult::kOk;
}

IoResult PlainStream::Write(std::string_view bytes, size_t& count) {
  const ssize_t sent = SendOn(fd_, bytes.data(), bytes.size());
  if (sent < 0) return Failed(IoResult::kWantWrite);
  count = static_cast<size_t>(sent);
  return IoResult::kOk;
}

IoResult PlainStream::Failed(IoResult want) {
  if (WouldBlock(errno)) return want;
  error_ = MakeError(ErrorKind::kUnavailable, ErrnoClause(errno));
  return IoResult::kError;
}

}  // namespace vaultcore::net
