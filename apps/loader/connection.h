// How the loader reaches Vault and logs in: the configuration first, and the environment where the
// configuration does not say.

#ifndef APPS_LOADER_CONNECTION_H_
#define APPS_LOADER_CONNECTION_H_

#include <memory>

#include "vaultcore/auth/auth_method.h"
#include "vaultcore/config/environment.h"
#include "vaultcore/config/loader_config.h"
#include "vaultcore/model/connection.h"

namespace loader {

// Errors: kUsage (no address, or a variable that makes no sense). Looks whether the configured CA
// is a folder; reads nothing else.
vaultcore::StatusOr<vaultcore::ConnectionSettings> MakeConnection(
    const vaultcore::LoaderConfig& config, const vaultcore::EnvironmentLookup& environment);

// Errors: kAuth when credentials are neither configured nor in the environment, naming where to put
// them; kUsage for malformed ones.
vaultcore::StatusOr<std::unique_ptr<vaultcore::AuthMethod>> MakeAuth(
    const vaultcore::LoaderConfig& config, const vaultcore::EnvironmentLookup& environment);

}  // namespace loader

#endif  // APPS_LOADER_CONNECTION_H_
