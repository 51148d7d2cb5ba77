#include "generator/connection.h"

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "vaultcore/base/file.h"
#include "vaultcore/model/path.h"

namespace generator {
namespace {

using vaultcore::AuthMethod;
using vaultcore::ConnectionSettings;
using vaultcore::ErrorKind;
using vaultcore::MakeError;
using vaultcore::Secret;
using vaultcore::StatusOr;

}  // namespace

StatusOr<Secret> OperatorToken(const vaultcore::EnvironmentLookup& environment) {
  if (std::optional<std::string> token = environment("VAULT_TOKEN");
      token.has_value() && !token->empty()) {
    return Secret::TakeAndWipe(*token);
  }
  const std::string home = environment("HOME").value_or("");
  if (home.empty()) return Secret();
  StatusOr<Secret> token = vaultcore::ReadSecretFile(home + "/.vault-token", 64 << 10);
  if (!token.ok() && vaultcore::KindOf(token.status()) == ErrorKind::kNotFound) return Secret();
  return token;
}

StatusOr<std::unique_ptr<AuthMethod>> MakeAuth(const VaultSettings& settings, Secret token) {
  if (!token.empty()) return vaultcore::MakeTokenAuth(token);
  if (settings.method == VaultSettings::Method::kToken && !settings.token.empty()) {
    return vaultcore::MakeTokenAuth(settings.token);
  }
  if (settings.method == VaultSettings::Method::kAppRole && !settings.role_id.empty()) {
    VC_ASSIGN_OR_RETURN(
        vaultcore::Mount mount,
        vaultcore::Mount::Parse(settings.auth_mount.empty() ? "approle" : settings.auth_mount));
    vaultcore::AppRoleCredentials credentials{std::move(mount), settings.role_id.Clone(),
                                              settings.secret_id.Clone(), false};
    return vaultcore::MakeAppRoleAuth(std::move(credentials));
  }
  return MakeError(ErrorKind::kAuth, "no Vault token: VAULT_TOKEN is not set",
                   "export VAULT_TOKEN=... with a token that has the generator's policy");
}

StatusOr<ConnectionSettings> MakeConnection(const VaultSettings& settings,
                                            const vaultcore::EnvironmentLookup& environment) {
  ConnectionSettings connection;
  connection.address = settings.address;
  connection.tls.skip_verify = settings.skip_verify;
  // The path is the pod's; it counts here only if this machine happens to have it.
  std::error_code error;
  if (std::filesystem::is_regular_file(settings.ca_path, error)) {
    connection.tls.ca_file = settings.ca_path;
  }
  VC_RETURN_IF_ERROR(vaultcore::ApplyVaultEnvironment(environment, connection));
  VC_RETURN_IF_ERROR(vaultcore::SetProxyFromEnvironment(environment, connection));
  return connection;
}

}  // namespace generator
