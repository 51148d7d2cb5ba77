// Auth methods: how a program proves to Vault who it is. One small interface; caching or chaining
// are further implementations of it.
//
// To add a method: one header with a class, one .cc, and one line in apps' configuration. Methods
// hold credentials or know where to read them; they read files (a projected token rotates) but
// never the environment.

#ifndef VAULTCORE_AUTH_AUTH_METHOD_H_
#define VAULTCORE_AUTH_AUTH_METHOD_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "vaultcore/api/http.h"
#include "vaultcore/api/sys.h"
#include "vaultcore/base/secret.h"
#include "vaultcore/base/status.h"
#include "vaultcore/model/path.h"

namespace vaultcore {

// How a method talks to Vault: one request with the client's retries, redirects, namespace and
// deadline, but without a token unless the method adds an "X-Vault-Token" header itself (unwrapping
// needs that).
using Exchanger =
    std::function<boost::asio::awaitable<StatusOr<HttpResponse>>(HttpRequest request)>;

class AuthMethod {
 public:
  virtual ~AuthMethod() = default;

  // Logs in. May be called again when a token has expired. Errors: kAuth when Vault refuses, with
  // what to compare; kIo or kUsage for unreadable or malformed credentials; network errors as they
  // are.
  virtual boost::asio::awaitable<StatusOr<AuthToken>> Login(const Exchanger& exchange) = 0;

  // For messages: "kubernetes (role harness, mount kubernetes)". No secret.
  virtual std::string Describe() const = 0;

  // False for a fixed token: logging in again would give the same one.
  virtual bool CanRelogin() const { return true; }
};

// A token that exists already. Not looked up, not renewed, never revoked by us. White space around
// it is dropped. Errors: kAuth when it is empty, kUsage when it holds characters that no token has.
StatusOr<std::unique_ptr<AuthMethod>> MakeTokenAuth(const Secret& token);

// AppRole. With `secret_id_is_wrapping_token` the secret-id is the token of a response-wrapped one:
// it is unwrapped once, after its creation path has been checked to be
// auth/<mount>/role/<role>/secret-id of any role; a used or foreign wrapping token is kAuth and
// says that it may have been intercepted.
struct AppRoleCredentials {
  Mount mount;  // "approle"
  Secret role_id;
  Secret secret_id;  // may be empty (bind_secret_id=false)
  bool secret_id_is_wrapping_token = false;
};
std::unique_ptr<AuthMethod> MakeAppRoleAuth(AppRoleCredentials credentials);

// Kubernetes. The service account token file is read at each login, because it rotates. When Vault
// refuses, the error shows the token's own namespace, service account, audience, issuer and expiry
// beside the role and mount asked for; never the token.
struct KubernetesCredentials {
  Mount mount;  // "kubernetes"
  std::string role;
  std::string token_path = "/var/run/secrets/kubernetes.io/serviceaccount/token";
};
// `unix_now` gives seconds since the epoch, to tell an expired token.
std::unique_ptr<AuthMethod> MakeKubernetesAuth(KubernetesCredentials credentials,
                                               std::function<int64_t()> unix_now);

}  // namespace vaultcore

#endif  // VAULTCORE_AUTH_AUTH_METHOD_H_
