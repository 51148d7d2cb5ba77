#include "generator/token_life.h"

#include <chrono>
#include <string>

namespace generator {
namespace {

using vaultcore::ErrorKind;
using vaultcore::MakeError;
using vaultcore::Status;
using vaultcore::StatusOr;

constexpr std::chrono::seconds kEnough{60};
// Less than this is over before the upload is.
constexpr std::chrono::seconds kTooLittle{15};

}  // namespace

Status CheckTokenLife(vaultcore::Client& client) {
  const StatusOr<vaultcore::AuthToken> token = client.LookupSelf();
  if (!token.ok()) {
    return vaultcore::KindOf(token.status()) == ErrorKind::kPermission ? absl::OkStatus()
                                                                       : token.status();
  }
  // A time to live of 0 is none: a root token.
  if (token->ttl.count() == 0 || token->ttl >= kEnough) return absl::OkStatus();
  std::chrono::seconds left = token->ttl;
  if (token->renewable) {
    const StatusOr<vaultcore::HttpResponse> response =
        client.Send(vaultcore::BuildTokenRenewSelf(std::nullopt));
    if (response.ok()) {
      const StatusOr<vaultcore::AuthToken> renewed = vaultcore::ParseTokenRenew(*response);
      if (renewed.ok()) left = renewed->ttl;
    }
  }
  if (left >= kTooLittle) return absl::OkStatus();
  return MakeError(ErrorKind::kAuth,
                   "the Vault token expires in " + std::to_string(left.count()) +
                       " s, before the work would be done",
                   "log in again, or set VAULT_TOKEN anew");
}

}  // namespace generator
