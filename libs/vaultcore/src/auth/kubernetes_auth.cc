#include <absl/strings/ascii.h>
#include <absl/strings/str_format.h>

#include <boost/asio/awaitable.hpp>
#include <utility>

#include "auth/jwt_claims.h"
#include "vaultcore/auth/auth_method.h"
#include "vaultcore/base/file.h"

namespace vaultcore {
namespace {

namespace asio = boost::asio;

constexpr size_t kMaxTokenBytes = 64 << 10;

class KubernetesAuth final : public AuthMethod {
 public:
  KubernetesAuth(KubernetesCredentials credentials, std::function<int64_t()> unix_now)
      : credentials_(std::move(credentials)), unix_now_(std::move(unix_now)) {}

  asio::awaitable<StatusOr<AuthToken>> Login(const Exchanger& exchange) override {
    VC_CO_ASSIGN_OR_RETURN(const Secret jwt, ReadToken());
    HttpRequest request = BuildKubernetesLogin(credentials_.mount, credentials_.role, jwt);
    VC_CO_ASSIGN_OR_RETURN(HttpResponse response, co_await exchange(std::move(request)));
    auto token = ParseLogin(Name(), response);
    if (!token.ok() && KindOf(token.status()) == ErrorKind::kAuth) {
      co_return Explain(token.status(), jwt);
    }
    co_return token;
  }

  std::string Describe() const override {
    return absl::StrFormat("kubernetes (role %s, mount %s)", Printable(credentials_.role, 100),
                           credentials_.mount.text());
  }

 private:
  std::string Name() const {
    return absl::StrFormat("kubernetes login as role \"%s\" at auth/%s",
                           Printable(credentials_.role, 100), credentials_.mount.text());
  }

  StatusOr<Secret> ReadToken() const {
    auto file = ReadSecretFile(credentials_.token_path, kMaxTokenBytes);
    if (!file.ok() && KindOf(file.status()) == ErrorKind::kNotFound) {
      // kNotFound is for secrets in Vault.
      return MakeError(ErrorKind::kIo, Name() + ": " + std::string(MessageOf(file.status())),
                       "the pod needs automountServiceAccountToken: true, or a projected service "
                       "account token at that path");
    }
    if (!file.ok()) return Annotate(file.status(), Name());
    const std::string_view jwt = ToStd(absl::StripAsciiWhitespace(ToAbsl(file->Reveal())));
    if (jwt.empty()) {
      return MakeError(ErrorKind::kIo,
                       absl::StrFormat("%s: the service account token in %s is empty", Name(),
                                       credentials_.token_path));
    }
    return Secret::CopyOf(jwt);
  }

  // Vault says "permission denied" and no more; what it compared is in the token.
  Status Explain(const Status& refused, const Secret& jwt) const {
    const auto claims = internal::DecodeJwtClaims(jwt.Reveal());
    std::string message(MessageOf(refused));
    if (!claims) {
      message.append(absl::StrFormat("; the token in %s is not a JWT", credentials_.token_path));
      return Rebuilt(refused, message, "check which file holds the service account token");
    }
    const int64_t now = unix_now_();
    message.append("; the token says: ").append(internal::DescribeClaims(*claims, now));
    if (claims->expires_at && *claims->expires_at <= now) {
      return Rebuilt(refused, message,
                     "the token has expired: a projected token is renewed in its file by the "
                     "kubelet; check the clocks, and that the file is not a copy");
    }
    const std::string& mount = credentials_.mount.text();
    return Rebuilt(refused, message,
                   absl::StrFormat("compare with bound_service_account_names, "
                                   "bound_service_account_namespaces and audience in: vault read "
                                   "auth/%s/role/%s; and the cluster, which Vault must reach, in: "
                                   "vault read auth/%s/config (no such mount? vault auth list)",
                                   mount, Printable(credentials_.role, 100), mount));
  }

  static Status Rebuilt(const Status& from, std::string_view message, std::string_view hint) {
    Status status = MakeError(KindOf(from), message, hint);
    const auto http_status = HttpStatusOf(from);
    return http_status ? WithHttpStatus(std::move(status), *http_status) : status;
  }

  KubernetesCredentials credentials_;
  std::function<int64_t()> unix_now_;
};

}  // namespace

std::unique_ptr<AuthMethod> MakeKubernetesAuth(KubernetesCredentials credentials,
                                               std::function<int64_t()> unix_now) {
  return std::make_unique<KubernetesAuth>(std::move(credentials), std::move(unix_now));
}

}  // namespace vaultcore
