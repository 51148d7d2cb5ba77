#include <absl/strings/str_format.h>

#include <boost/asio/awaitable.hpp>
#include <utility>

#include "vaultcore/api/http.h"
#include "vaultcore/auth/auth_method.h"

namespace vaultcore {
namespace {

namespace asio = boost::asio;

constexpr char kInterceptedHint[] =
    "it was used before, or has expired: if nobody of yours used it, treat the secret-id as "
    "intercepted; issue a new one";

// auth/<mount>/role/<any one role>/secret-id: the only path whose answers hold a secret-id of this
// mount. Something wrapped elsewhere was put there by somebody else.
bool IsSecretIdPath(const Mount& mount, std::string_view creation_path) {
  const std::string before = "auth/" + mount.text() + "/role/";
  constexpr std::string_view kAfter = "/secret-id";
  if (creation_path.size() <= before.size() + kAfter.size() || !creation_path.starts_with(before) ||
      !creation_path.ends_with(kAfter)) {
    return false;
  }
  creation_path.remove_prefix(before.size());
  creation_path.remove_suffix(kAfter.size());
  return creation_path.find('/') == std::string_view::npos;
}

class AppRoleAuth final : public AuthMethod {
 public:
  explicit AppRoleAuth(AppRoleCredentials credentials) : credentials_(std::move(credentials)) {}

  asio::awaitable<StatusOr<AuthToken>> Login(const Exchanger& exchange) override {
    if (credentials_.secret_id_is_wrapping_token) {
      VC_CO_RETURN_IF_ERROR(co_await Unwrap(exchange));
    }
    HttpRequest request =
        BuildAppRoleLogin(credentials_.mount, credentials_.role_id, credentials_.secret_id);
    VC_CO_ASSIGN_OR_RETURN(HttpResponse response, co_await exchange(std::move(request)));
    auto token = ParseLogin(Name(), response);
    if (!token.ok() && KindOf(token.status()) == ErrorKind::kAuth) {
      co_return WithHint(token.status(), Hint(token.status()));
    }
    co_return token;
  }

  std::string Describe() const override {
    return absl::StrFormat("approle (mount %s)", credentials_.mount.text());
  }

 private:
  std::string Name() const {
    return absl::StrFormat("approle login at auth/%s", credentials_.mount.text());
  }

  std::string Hint(const Status& refused) const {
    const std::string& mount = credentials_.mount.text();
    // Vault answers 400 to wrong credentials, and 403 where there is nobody to judge them.
    if (HttpStatusOf(refused) == 403) {
      return absl::StrFormat(
          "see with vault auth list whether AppRole is mounted at %s, and whether the role is "
          "bound to other addresses than this machine's",
          mount);
    }
    return absl::StrFormat(
        "the role-id is wrong, or the secret-id is wrong, expired or used up: issue a new one "
        "(vault write -f auth/%s/role/ROLE/secret-id), and compare the role-id (vault read "
        "auth/%s/role/ROLE/role-id)",
        mount, mount);
  }

  // Puts the secret-id in the place of its wrapping token, once.
  asio::awaitable<Status> Unwrap(const Exchanger& exchange) {
    const Secret& wrapping_token = credentials_.secret_id;
    HttpRequest lookup = BuildWrapLookup(wrapping_token);
    VC_CO_ASSIGN_OR_RETURN(HttpResponse looked_up, co_await exchange(std::move(lookup)));
    auto creation_path = ParseWrapLookupCreationPath(looked_up);
    if (!creation_path.ok()) co_return Refused(creation_path.status());
    if (!IsSecretIdPath(credentials_.mount, *creation_path)) {
      co_return MakeError(
          ErrorKind::kAuth,
          absl::StrFormat("%s: the wrapping token does not hold a secret-id of this mount: it was "
                          "made by %s",
                          Name(), Printable(*creation_path, 120)),
          "somebody may have intercepted the secret-id and wrapped something else: issue a new "
          "one, and find out who had it");
    }

    HttpRequest unwrap = BuildUnwrap();
    VC_CO_RETURN_IF_ERROR(unwrap.AddHeader("X-Vault-Token", wrapping_token));
    VC_CO_ASSIGN_OR_RETURN(HttpResponse unwrapped, co_await exchange(std::move(unwrap)));
    auto data = ParseUnwrap(unwrapped);
    if (!data.ok()) co_return Refused(data.status());
    const std::string_view secret_id = (*data)["secret_id"].AsText();
    if (secret_id.empty()) {
      co_return MakeError(ErrorKind::kProtocol,
                          Name() + ": the unwrapped answer holds no secret_id");
    }
    credentials_.secret_id = Secret::CopyOf(secret_id);
    credentials_.secret_id_is_wrapping_token = false;
    co_return absl::OkStatus();
  }

  Status Refused(const Status& status) const {
    const Status named = Annotate(status, Name());
    return KindOf(status) == ErrorKind::kAuth ? WithHint(named, kInterceptedHint) : named;
  }

  AppRoleCredentials credentials_;
};

}  // namespace

std::unique_ptr<AuthMethod> MakeAppRoleAuth(AppRoleCredentials credentials) {
  return std::make_unique<AppRoleAuth>(std::move(credentials));
}

}  // namespace vaultcore
