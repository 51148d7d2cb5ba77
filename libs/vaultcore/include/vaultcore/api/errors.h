// What an answer that is no success means. Pure; thread-safe.
// Source: developer.hashicorp.com/vault/api-docs#http-status-codes, and the texts that Vault 1.21
// sends.

#ifndef VAULTCORE_API_ERRORS_H_
#define VAULTCORE_API_ERRORS_H_

#include <string>
#include <string_view>

#include "vaultcore/api/http.h"
#include "vaultcore/base/status.h"

namespace vaultcore {

// What was being done, for the message and the hint.
struct Operation {
  std::string what;         // "read secret/harness/log-service/env-secrets", starts the message
  std::string policy_path;  // "secret/data/harness/log-service/env-secrets"; empty: no policy hint
  std::string capability;   // "read", "create and update", ...
  bool is_login = false;    // a 400 or 403 means the login was refused (kAuth)
};

// The error behind a status that is not 2xx. A 403 hints the policy stanza that is missing:
//   path "secret/data/harness/log-service/*" { capabilities = ["read"] }
// Vault's own "errors" texts are appended, cut and cleaned. Sealed, standby and not-initialised
// answers are kUnavailable and say so.
Status InterpretError(const Operation& operation, const HttpResponse& response);

// Vault's "errors" array as one line; empty when the body holds none.
std::string ServerErrors(const HttpResponse& response);

}  // namespace vaultcore

#endif  // VAULTCORE_API_ERRORS_H_
