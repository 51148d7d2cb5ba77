// From the values and the environment to a client's options. Reads files only to see whether they
// are there.

#ifndef APPS_GENERATOR_CONNECTION_H_
#define APPS_GENERATOR_CONNECTION_H_

#include <memory>

#include "generator/values.h"
#include "vaultcore/auth/auth_method.h"
#include "vaultcore/base/status.h"
#include "vaultcore/config/environment.h"
#include "vaultcore/model/connection.h"

namespace generator {

// The operator's token: VAULT_TOKEN, else the vault command line's token file (~/.vault-token);
// empty when there is none. Errors: kIo for a token file that cannot be read.
vaultcore::StatusOr<vaultcore::Secret> OperatorToken(
    const vaultcore::EnvironmentLookup& environment);

// `token`, else what the values' auth block names for the operator: a token or an AppRole. Errors:
// kAuth when there is nothing to log in with.
vaultcore::StatusOr<std::unique_ptr<vaultcore::AuthMethod>> MakeAuth(const VaultSettings& settings,
                                                                     vaultcore::Secret token);

// The address, TLS and limits: the values, overlaid with the VAULT_* variables. The address stays
// the values'. Errors: kUsage naming the variable.
vaultcore::StatusOr<vaultcore::ConnectionSettings> MakeConnection(
    const VaultSettings& settings, const vaultcore::EnvironmentLookup& environment);

}  // namespace generator

#endif  // APPS_GENERATOR_CONNECTION_H_
