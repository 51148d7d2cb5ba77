// How to reach a Vault: plain data that configuration fills in and the transport reads. Pure;
// values.

#ifndef VAULTCORE_MODEL_CONNECTION_H_
#define VAULTCORE_MODEL_CONNECTION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "vaultcore/base/clock.h"
#include "vaultcore/base/secret.h"
#include "vaultcore/base/status.h"

namespace vaultcore {

// A parsed address: "https://vault.example:8200/prefix".
struct Endpoint {
  bool tls = true;
  std::string
      host;  // without brackets for IPv6, without a trailing dot's effect on SNI (net drops it)
  uint16_t port = 0;
  std::string prefix;  // "" or "/prefix"; stands before "/v1"

  // "http" and "https" only; default ports 80 and 443 as in any URL; no user info, query or
  // fragment. Errors: kUsage, naming what is wrong, never echoing user info.
  static StatusOr<Endpoint> Parse(std::string_view url);
  // "https://vault.example:8200", with brackets for IPv6.
  std::string ToString() const;
  // "vault.example:8200", the Host header and authority form.
  std::string Authority() const;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// TLS as the VAULT_* variables describe it. Empty strings mean "not set". Verification is on unless
// `skip_verify`.
struct TlsSettings {
  std::string ca_file;      // VAULT_CACERT: PEM bundle
  std::string ca_dir;       // VAULT_CAPATH: folder of PEM files (hashed names not required)
  std::string ca_pem;       // VAULT_CACERT_BYTES: PEM text
  std::string client_cert;  // VAULT_CLIENT_CERT: PEM chain
  std::string client_key;   // VAULT_CLIENT_KEY: PEM key
  std::string server_name;  // VAULT_TLS_SERVER_NAME: instead of the address's host, for SNI and
                            // verification
  bool skip_verify = false;
};

struct ConnectionSettings {
  Endpoint address;
  std::string vault_namespace;  // VAULT_NAMESPACE; "" for none
  TlsSettings tls;
  std::optional<Endpoint> proxy;  // an HTTP proxy: CONNECT for https, absolute-form for http
  Secret proxy_authorization;     // "Basic ..." from the proxy URL's user info; empty for none
  Milliseconds connect_timeout{10'000};    // DNS and TCP, per try
  Milliseconds handshake_timeout{10'000};  // TLS, per try
  Milliseconds request_timeout{60'000};    // one exchange, VAULT_CLIENT_TIMEOUT
  int max_connections = 16;
  int max_retries = 2;    // VAULT_MAX_RETRIES: further tries of one request
  double rate_limit = 0;  // VAULT_RATE_LIMIT: requests a second; 0 for none
  int rate_burst = 0;     // second number of VAULT_RATE_LIMIT; 0: same as rate
  size_t max_response_bytes = 32u << 20;
};

}  // namespace vaultcore

#endif  // VAULTCORE_MODEL_CONNECTION_H_
