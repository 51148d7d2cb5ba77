#include <absl/strings/ascii.h>

#include <boost/asio/awaitable.hpp>
#include <utility>

#include "vaultcore/auth/auth_method.h"

namespace vaultcore {
namespace {

class TokenAuth final : public AuthMethod {
 public:
  explicit TokenAuth(Secret token) : token_(std::move(token)) {}

  boost::asio::awaitable<StatusOr<AuthToken>> Login(const Exchanger&) override {
    AuthToken login;
    login.token = token_.Clone();
    co_return login;
  }
  std::string Describe() const override { return "token"; }
  bool CanRelogin() const override { return false; }

 private:
  Secret token_;
};

}  // namespace

StatusOr<std::unique_ptr<AuthMethod>> MakeTokenAuth(const Secret& token) {
  const std::string_view text = ToStd(absl::StripAsciiWhitespace(ToAbsl(token.Reveal())));
  if (text.empty()) {
    return MakeError(ErrorKind::kAuth, "there is no Vault token", "set VAULT_TOKEN");
  }
  for (const char c : text) {
    if (c <= 0x20 || c >= 0x7F) {
      return MakeError(ErrorKind::kUsage, "the Vault token holds characters that no token has",
                       "it may be more than the token: check what it was copied from");
    }
  }
  return std::unique_ptr<AuthMethod>(std::make_unique<TokenAuth>(Secret::CopyOf(text)));
}

}  // namespace vaultcore
