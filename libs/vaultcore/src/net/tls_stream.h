// TlsStream: OpenSSL over a non-blocking socket.

#ifndef VAULTCORE_NET_TLS_STREAM_H_
#define VAULTCORE_NET_TLS_STREAM_H_

#include <memory>

#include "net/stream.h"
#include "net/tls_context.h"

namespace vaultcore::net {

class TlsStream final : public Stream {
 public:
  // Does not own `fd`, which must stay open as long as this object is used.
  TlsStream(std::shared_ptr<const TlsContext> context, int fd);
  ~TlsStream() override;

  // Repeat until it is kOk; then Read and Write may be used.
  IoResult Handshake();
  bool negotiated_http2() const;

  IoResult Read(char* data, size_t size, size_t& count) override;
  bool HasBuffered() const override { return SSL_has_pending(ssl_.get()) == 1; }
  IoResult Write(std::string_view bytes, size_t& count) override;
  void SayGoodbye() override;
  const Status& error() const override { return error_; }

 private:
  struct SocketBio;
  static int OnVerify(int verified, X509_STORE_CTX* verification);
  IoResult Interpret(int result);

  const std::shared_ptr<const TlsContext> context_;
  SslPtr ssl_;
  int fd_;
  int last_errno_ = 0;
  bool failed_ = false;
  bool record_half_sent_ = false;
  Status verification_;  // why the certificate was refused
  Status error_;
};

}  // namespace vaultcore::net

#endif  // VAULTCORE_NET_TLS_STREAM_H_
