#include "auth/jwt_claims.h"

#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>

#include "vaultcore/api/json.h"
#include "vaultcore/base/encoding.h"
#include "vaultcore/base/status.h"

namespace vaultcore::internal {
namespace {

constexpr size_t kMaxClaimBytes = 120;
constexpr size_t kMaxAudiences = 5;

std::string ClaimText(const Json& value) { return Printable(value.AsText(), kMaxClaimBytes); }

// "3 minutes", "1 hour".
std::string Span(int64_t seconds) {
  struct Unit {
    int64_t seconds;
    const char* name;
  };
  constexpr Unit kUnits[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
  for (const Unit& unit : kUnits) {
    const int64_t count = seconds / unit.seconds;
    // Less than two of a unit are told in the next smaller one: "90 minutes", not "1 hour".
    if (count >= 2 || unit.seconds == 1) {
      return absl::StrFormat("%d %s%s", count, unit.name, count == 1 ? "" : "s");
    }
  }
  return "";
}

}  // namespace

std::optional<JwtClaims> DecodeJwtClaims(std::string_view token) {
  const size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  const auto payload = Base64UrlDecode(token.substr(first + 1, second - first - 1));
  if (!payload) return std::nullopt;
  const auto json = Json::Parse(payload->Reveal());
  if (!json.ok() || !json->is_object()) return std::nullopt;

  JwtClaims claims;
  // Projected tokens have the block, the older ones from Secrets have flat names.
  const Json& kubernetes = (*json)["kubernetes.io"];
  claims.service_namespace = ClaimText(kubernetes["namespace"]);
  claims.service_account = ClaimText(kubernetes["serviceaccount"]["name"]);
  if (claims.service_namespace.empty()) {
    claims.service_namespace = ClaimText((*json)["kubernetes.io/serviceaccount/namespace"]);
  }
  if (claims.service_account.empty()) {
    claims.service_account =
        ClaimText((*json)["kubernetes.io/serviceaccount/service-account.name"]);
  }
  const Json& audience = (*json)["aud"];
  if (audience.is_string()) claims.audiences.push_back(ClaimText(audience));
  for (const Json& item : audience.items()) {
    if (claims.audiences.size() == kMaxAudiences) break;
    claims.audiences.push_back(ClaimText(item));
  }
  claims.issuer = ClaimText((*json)["iss"]);
  if ((*json)["exp"].type() == Json::Type::kNumber) {
    const int64_t expires_at = (*json)["exp"].AsInt();
    if (expires_at > 0) claims.expires_at = expires_at;
  }
  return claims;
}

std::string DescribeClaims(const JwtClaims& claims, int64_t unix_now) {
  const auto or_none = [](const std::string& text) { return text.empty() ? "(none)" : text; };
  std::string text =
      absl::StrFormat("namespace %s, service account %s, audience %s, issuer %s",
                      or_none(claims.service_namespace), or_none(claims.service_account),
                      or_none(absl::StrJoin(claims.audiences, " and ")), or_none(claims.issuer));
  if (!claims.expires_at) {
    text.append(", no expiry");
  } else if (*claims.expires_at <= unix_now) {
    text.append(", expired ").append(Span(unix_now - *claims.expires_at)).append(" ago");
  } else {
    text.append(", expires in ").append(Span(*claims.expires_at - unix_now));
  }
  return text;
}

}  // namespace vaultcore::internal
