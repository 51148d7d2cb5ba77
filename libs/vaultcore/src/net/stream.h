// Stream: non-blocking bytes to and from a connected socket, plain or through TLS. Says what to
// wait for; waiting is the caller's.

#ifndef VAULTCORE_NET_STREAM_H_
#define VAULTCORE_NET_STREAM_H_

#include <cstddef>
#include <string_view>

#include "vaultcore/base/status.h"

namespace vaultcore::net {

enum class IoResult {
  kOk,
  kWantRead,   // again when the socket is readable
  kWantWrite,  // again when the socket is writable
  kEnd,        // the peer ended the stream in an orderly way
  kError,      // see error()
};

class Stream {
 public:
  virtual ~Stream() = default;
  // On kOk `count` is at least 1.
  virtual IoResult Read(char* data, size_t size, size_t& count) = 0;
  // True when bytes wait inside this object, where the socket does not tell of them.
  virtual bool HasBuffered() const = 0;
  virtual IoResult Write(std::string_view bytes, size_t& count) = 0;
  // Says goodbye, without waiting for the answer.
  virtual void SayGoodbye() = 0;
  // What the last kError was.
  virtual const Status& error() const = 0;
};

// recv() and send() on `fd`, without SIGPIPE; -1 with errno.
ssize_t ReceiveOn(int fd, void* data, size_t size);
ssize_t SendOn(int fd, const void* data, size_t size);
// True when the last call would have had to wait.
bool WouldBlock(int error_number);
// "connection refused"
std::string ErrnoClause(int error_number);

class PlainStream final : public Stream {
 public:
  // Does not own `fd`.
  explicit PlainStream(int fd) : fd_(fd) {}
  IoResult Read(char* data, size_t size, size_t& count) override;
  bool HasBuffered() const override { return false; }
  IoResult Write(std::string_view bytes, size_t& count) override;
  void SayGoodbye() override {}
  const Status& error() const override { return error_; }

 private:
  IoResult Failed(IoResult want);

  int fd_;
  Status error_;
};

}  // namespace vaultcore::net

#endif  // VAULTCORE_NET_STREAM_H_
