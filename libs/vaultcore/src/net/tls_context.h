// TlsContext: one SSL_CTX for all connections of a transport: trust, client certificate, rules.
//
// OpenSSL is initialised without its configuration file and without its error texts, which would
// cost a quarter of a loader's run; a program that wants either initialises OpenSSL before.

#ifndef VAULTCORE_NET_TLS_CONTEXT_H_
#define VAULTCORE_NET_TLS_CONTEXT_H_

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "vaultcore/base/status.h"
#include "vaultcore/model/connection.h"

namespace vaultcore::net {

template <auto kFree>
struct OpenSslDeleter {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
template <typename T, auto kFree>
using OpenSslPtr = std::unique_ptr<T, OpenSslDeleter<kFree>>;
using SslPtr = OpenSslPtr<SSL, SSL_free>;
using SessionPtr = OpenSslPtr<SSL_SESSION, SSL_SESSION_free>;

class TlsContext {
 public:
  // `certificate_name` is the host name or IP address that the server's certificate must bear.
  // Reads the files that `settings` name. Errors: kUsage, naming the file and the variable.
  static StatusOr<std::shared_ptr<TlsContext>> Make(const TlsSettings& settings,
                                                    std::string certificate_name);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // A client connection, ready for a BIO and the handshake: SNI, verification and ALPN are set, and
  // an earlier connection's session is resumed.
  SslPtr NewConnection() const;

  const std::string& certificate_name() const { return certificate_name_; }
  // "the CA file /x (VAULT_CACERT)"; empty when the system's authorities are trusted.
  const std::string& trust_source() const { return trust_source_; }
  bool has_client_certificate() const { return has_client_certificate_; }

 private:
  explicit TlsContext(std::string certificate_name);
  Status LoadTrust(const TlsSettings& settings);
  void TrustSystem();
  Status LoadClientCertificate(const TlsSettings& settings);
  static int KeepSession(SSL* ssl, SSL_SESSION* session);

  OpenSslPtr<SSL_CTX, SSL_CTX_free> context_;
  SessionPtr session_;
  std::string certificate_name_;
  std::string trust_source_;
  bool verify_ = true;
  bool has_client_certificate_ = false;
};

}  // namespace vaultcore::net

#endif  // VAULTCORE_NET_TLS_CONTEXT_H_
