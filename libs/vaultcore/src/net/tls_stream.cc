#include "net/tls_stream.h"

#include <openssl/bio.h>
#include <openssl/err.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <string_view>
#include <utility>

#include "net/tls_errors.h"

namespace vaultcore::net {
namespace {

// A TLS record holds no more, so a larger portion gains nothing.
constexpr size_t kMaxPortion = 16 << 10;

}  // namespace

// OpenSSL's own socket BIO writes with write(), which raises SIGPIPE when the server has gone.
struct TlsStream::SocketBio {
  static TlsStream& Self(BIO* bio) { return *static_cast<TlsStream*>(BIO_get_data(bio)); }

  static int Finish(BIO* bio, ssize_t count, int retry_flag) {
    BIO_clear_retry_flags(bio);
    if (count < 0) {
      if (WouldBlock(errno)) {
        BIO_set_flags(bio, retry_flag | BIO_FLAGS_SHOULD_RETRY);
      } else {
        Self(bio).last_errno_ = errno;
      }
    }
    return static_cast<int>(count);
  }

  static int Write(BIO* bio, const char* data, int size) {
    return Finish(bio, SendOn(Self(bio).fd_, data, static_cast<size_t>(size)), BIO_FLAGS_WRITE);
  }

  static int Read(BIO* bio, char* data, int size) {
    return Finish(bio, ReceiveOn(Self(bio).fd_, data, static_cast<size_t>(size)), BIO_FLAGS_READ);
  }

  static long Control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO_METHOD* Method() {
    static BIO_METHOD* const method = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "vaultcore socket");
      if (made == nullptr) throw std::bad_alloc();
      BIO_meth_set_write(made, Write);
      BIO_meth_set_read(made, Read);
      BIO_meth_set_ctrl(made, Control);
      return made;
    }();
    return method;
  }
};

TlsStream::TlsStream(std::shared_ptr<const TlsContext> context, int fd)
    : context_(std::move(context)), ssl_(context_->NewConnection()), fd_(fd) {
  BIO* bio = BIO_new(SocketBio::Method());
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_verify(ssl_.get(), SSL_get_verify_mode(ssl_.get()), OnVerify);
}

TlsStream::~TlsStream() = default;

int TlsStream::OnVerify(int verified, X509_STORE_CTX* verification) {
  auto* ssl = static_cast<SSL*>(
      X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx()));
  // Without verification (VAULT_SKIP_VERIFY) whatever is found is accepted.
  if (verified == 1 || SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE) return 1;
  auto* self = static_cast<TlsStream*>(SSL_get_app_data(ssl));
  self->verification_ = ExplainVerification(verification, *self->context_);
  return 0;
}

IoResult TlsStream::Handshake() {
  ERR_clear_error();
  return Interpret(SSL_do_handshake(ssl_.get()));
}

bool TlsStream::negotiated_http2() const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return size == 2 && name[0] == 'h' && name[1] == '2';
}

IoResult TlsStream::Read(char* data, size_t size, size_t& count) {
  ERR_clear_error();
  return Interpret(SSL_read_ex(ssl_.get(), data, std::min(size, kMaxPortion), &count));
}

IoResult TlsStream::Write(std::string_view bytes, size_t& count) {
  ERR_clear_error();
  const IoResult result = Interpret(
      SSL_write_ex(ssl_.get(), bytes.data(), std::min(bytes.size(), kMaxPortion), &count));
  record_half_sent_ = result == IoResult::kWantWrite;
  return result;
}

void TlsStream::SayGoodbye() {
  if (failed_ || record_half_sent_ || SSL_in_init(ssl_.get()) != 0) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

IoResult TlsStream::Interpret(int result) {
  if (result > 0) return IoResult::kOk;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return IoResult::kWantRead;
    case SSL_ERROR_WANT_WRITE:
      return IoResult::kWantWrite;
    case SSL_ERROR_ZERO_RETURN:
      return IoResult::kEnd;
    case SSL_ERROR_SSL: {
      failed_ = true;
      const unsigned long code = ERR_peek_error();
      ERR_clear_error();
      error_ = verification_.ok() ? ExplainTlsError(code, *context_) : verification_;
      return IoResult::kError;
    }
    default:
      failed_ = true;
      ERR_clear_error();
      error_ =
          MakeError(ErrorKind::kUnavailable, last_errno_ == 0 ? "the server closed the connection"
                                                              : ErrnoClause(last_errno_));
      return IoResult::kError;
  }
}

}  // namespace vaultcore::net
