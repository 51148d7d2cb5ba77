// What a service account token says about itself, for messages. Internal to auth. Pure.

#ifndef VAULTCORE_SRC_AUTH_JWT_CLAIMS_H_
#define VAULTCORE_SRC_AUTH_JWT_CLAIMS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vaultcore::internal {

// Claims of a Kubernetes service account token, unverified. Empty where the token has none. Texts
// are fit for messages.
struct JwtClaims {
  std::string service_namespace;
  std::string service_account;
  std::vector<std::string> audiences;
  std::string issuer;
  std::optional<int64_t> expires_at;  // seconds since the epoch
};

// nullopt: `token` is not a JWT (three base64url segments, the second of which is a JSON object).
std::optional<JwtClaims> DecodeJwtClaims(std::string_view token);

// "namespace harness, service account log-service, audience https://..., issuer https://...,
// expired 12 minutes ago".
std::string DescribeClaims(const JwtClaims& claims, int64_t unix_now);

}  // namespace vaultcore::internal

#endif  // VAULTCORE_SRC_AUTH_JWT_CLAIMS_H_
