#include "loader/connection.h"

#include <absl/strings/str_cat.h>
#include <sys/stat.h>
#include <time.h>

#include <optional>
#include <string>
#include <utility>

namespace loader {
namespace {

using vaultcore::AuthMethod;
using vaultcore::ConnectionSettings;
using vaultcore::Endpoint;
using vaultcore::EnvironmentLookup;
using vaultcore::ErrorKind;
using vaultcore::LoaderAuth;
using vaultcore::LoaderConfig;
using vaultcore::MakeError;
using vaultcore::Mount;
using vaultcore::Secret;
using vaultcore::StatusOr;

constexpr int64_t kClockFailed = 0;

bool IsFolder(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

// `configured`, else the variable's value; empty when neither is set.
Secret SecretOr(const Secret& configured, const EnvironmentLookup& environment,
                std::string_view variable) {
  if (!configured.empty()) return configured.Clone();
  std::optional<std::string> value = environment(variable);
  if (!value) return {};
  return Secret::TakeAndWipe(*value);
}

int64_t UnixNow() {
  struct timespec now;
  return clock_gettime(CLOCK_REALTIME, &now) == 0 ? now.tv_sec : kClockFailed;
}

StatusOr<std::unique_ptr<AuthMethod>> MakeAppRole(const LoaderAuth& auth,
                                                  const EnvironmentLookup& environment) {
  VC_ASSIGN_OR_RETURN(Mount mount, Mount::Parse(auth.mount));
  vaultcore::AppRoleCredentials credentials{
      .mount = std::move(mount), .role_id = {}, .secret_id = {}};
  credentials.role_id = SecretOr(auth.role_id, environment, "VAULT_ROLE_ID");
  credentials.secret_id = SecretOr(auth.secret_id, environment, "VAULT_SECRET_ID");
  credentials.secret_id_is_wrapping_token = auth.secret_id_is_wrapping_token;
  if (credentials.role_id.empty()) {
    return MakeError(ErrorKind::kAuth, "there is no role-id to log in with",
                     "set vault.auth.roleId in the configuration, or VAULT_ROLE_ID");
  }
  return vaultcore::MakeAppRoleAuth(std::move(credentials));
}

StatusOr<std::unique_ptr<AuthMethod>> MakeKubernetes(const LoaderAuth& auth,
                                                     const EnvironmentLookup& environment) {
  VC_ASSIGN_OR_RETURN(Mount mount, Mount::Parse(auth.mount));
  vaultcore::KubernetesCredentials credentials{.mount = std::move(mount), .role = auth.role};
  if (!auth.token_path.empty()) {
    credentials.token_path = auth.token_path;
  } else if (const auto path = environment("VAULT_K8S_SERVICE_ACCOUNT_TOKEN_PATH");
             path && !path->empty()) {
    credentials.token_path = *path;
  }
  return vaultcore::MakeKubernetesAuth(std::move(credentials), UnixNow);
}

}  // namespace

StatusOr<ConnectionSettings> MakeConnection(const LoaderConfig& config,
                                            const EnvironmentLookup& environment) {
  ConnectionSettings settings;
  VC_RETURN_IF_ERROR(vaultcore::ApplyVaultEnvironment(environment, settings));
  std::optional<Endpoint> address = config.address;
  if (!address) {
    VC_ASSIGN_OR_RETURN(address, vaultcore::VaultAddressFrom(environment));
  }
  if (!address) {
    return MakeError(ErrorKind::kUsage, "there is no address of Vault",
                     "set vault.address in the configuration, or VAULT_ADDR");
  }
  settings.address = *std::move(address);
  if (!config.vault_namespace.empty()) settings.vault_namespace = config.vault_namespace;
  if (!config.ca_cert.empty()) {
    const bool folder = IsFolder(config.ca_cert);
    settings.tls.ca_file = folder ? "" : config.ca_cert;
    settings.tls.ca_dir = folder ? config.ca_cert : "";
    settings.tls.ca_pem.clear();
  }
  settings.tls.skip_verify = settings.tls.skip_verify || config.skip_verify;
  VC_RETURN_IF_ERROR(vaultcore::SetProxyFromEnvironment(environment, settings));
  return settings;
}

StatusOr<std::unique_ptr<AuthMethod>> MakeAuth(const LoaderConfig& config,
                                               const EnvironmentLookup& environment) {
  const LoaderAuth& auth = config.auth;
  switch (auth.method) {
    case LoaderAuth::Method::kKubernetes:
      return MakeKubernetes(auth, environment);
    case LoaderAuth::Method::kAppRole:
      return MakeAppRole(auth, environment);
    case LoaderAuth::Method::kToken:
      break;
  }
  const Secret token = SecretOr(auth.token, environment, "VAULT_TOKEN");
  if (token.empty()) {
    return MakeError(ErrorKind::kAuth, "there is no token to log in with",
                     "set VAULT_TOKEN or vault.auth.token, or name another login in "
                     "vault.auth.method");
  }
  return vaultcore::MakeTokenAuth(token);
}

}  // namespace loader
