// The VAULT_* environment variables, as the Vault command line documents them. The library never
// reads the environment itself: the program passes a lookup. Source:
// developer.hashicorp.com/vault/docs/commands#configure-environment-variables.

#ifndef VAULTCORE_CONFIG_ENVIRONMENT_H_
#define VAULTCORE_CONFIG_ENVIRONMENT_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "vaultcore/base/status.h"
#include "vaultcore/model/connection.h"

namespace vaultcore {

// The value of a variable; nullopt when it is not set.
using EnvironmentLookup = std::function<std::optional<std::string>(std::string_view name)>;

// Overlays `settings` with VAULT_CACERT, VAULT_CACERT_BYTES, VAULT_CAPATH, VAULT_CLIENT_CERT,
// VAULT_CLIENT_KEY, VAULT_TLS_SERVER_NAME, VAULT_SKIP_VERIFY ("false" means false),
// VAULT_NAMESPACE, VAULT_CLIENT_TIMEOUT ("60", "60s", "1m30s"), VAULT_MAX_RETRIES, VAULT_RATE_LIMIT
// ("10" or "10:20"). Empty variables count as not set. The address stays (see VaultAddressFrom);
// call SetProxyFromEnvironment after the address is final. Errors: kUsage naming the variable.
Status ApplyVaultEnvironment(const EnvironmentLookup& environment, ConnectionSettings& settings);

// VAULT_ADDR, parsed; nullopt when not set. Errors: kUsage.
StatusOr<std::optional<Endpoint>> VaultAddressFrom(const EnvironmentLookup& environment);

// Sets settings.proxy for settings.address: VAULT_PROXY_ADDR, VAULT_HTTP_PROXY, else HTTPS_PROXY or
// HTTP_PROXY by scheme (lower case too), unless NO_PROXY covers the host (names, .suffixes,
// addresses, CIDR blocks, "*"); loopback is never proxied unless VAULT_PROXY_ADDR or
// VAULT_HTTP_PROXY says so, as in Go's net/http. Errors: kUsage.
Status SetProxyFromEnvironment(const EnvironmentLookup& environment, ConnectionSettings& settings);

// "60", "60s", "1m30s", "500ms". Errors: kUsage.
StatusOr<Milliseconds> ParseDuration(std::string_view text);

}  // namespace vaultcore

#endif  // VAULTCORE_CONFIG_ENVIRONMENT_H_
