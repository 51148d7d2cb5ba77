// Everything beside KV: mounts, logins, tokens, wrapping, capabilities, health, leases, database
// credentials. Pure; thread-safe. Sources:
// developer.hashicorp.com/vault/api-docs/{system,auth,secret/databases}.

#ifndef VAULTCORE_API_SYS_H_
#define VAULTCORE_API_SYS_H_

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vaultcore/api/http.h"
#include "vaultcore/api/json.h"
#include "vaultcore/model/kv_mapper.h"

namespace vaultcore {

// What a login, a lookup or a renewal says about a token.
struct AuthToken {
  Secret token;
  std::string accessor;
  std::vector<std::string> policies;
  std::chrono::seconds ttl{0};  // 0: does not expire
  bool renewable = false;
  // True when this program made the token, by logging in: it is then revoked when it no longer
  // serves.
  bool owned = false;
};

// sys/internal/ui/mounts/<path>: answered to every token that may do anything below the mount; 403
// otherwise, also when the mount does not exist (Vault does not tell the two apart).
HttpRequest BuildMountLookup(std::string_view mount_path);
struct MountInfo {
  std::string type;                     // "kv", "database", ...
  std::string path;                     // "secret/"
  std::optional<KvVersion> kv_version;  // for type kv
};
StatusOr<MountInfo> ParseMountLookup(std::string_view mount_path, const HttpResponse& response);

// Logins. Secrets go into the body.
HttpRequest BuildAppRoleLogin(const Mount& auth_mount, const Secret& role_id,
                              const Secret& secret_id);
HttpRequest BuildKubernetesLogin(const Mount& auth_mount, std::string_view role, const Secret& jwt);
// `what` says which login for messages: "kubernetes login as role \"harness\" at auth/kubernetes".
StatusOr<AuthToken> ParseLogin(std::string_view what, const HttpResponse& response);

HttpRequest BuildTokenLookupSelf();
HttpRequest BuildTokenRenewSelf(std::optional<std::chrono::seconds> increment);
HttpRequest BuildTokenRevokeSelf();
// lookup-self. The token itself is not in the answer's use: `token` stays empty.
StatusOr<AuthToken> ParseTokenLookup(const HttpResponse& response);
StatusOr<AuthToken> ParseTokenRenew(const HttpResponse& response);

// Response wrapping: looks where a wrapping token came from (its creation path is the proof that
// nobody re-wrapped it), then unwraps.
HttpRequest BuildWrapLookup(const Secret& wrapping_token);
StatusOr<std::string> ParseWrapLookupCreationPath(const HttpResponse& response);
HttpRequest BuildUnwrap();
// The unwrapped "data" object.
StatusOr<Json> ParseUnwrap(const HttpResponse& response);

// What the token may do on each path: {"read", "list"}, {"deny"}, {"root"}.
HttpRequest BuildCapabilitiesSelf(const std::vector<std::string>& paths);
StatusOr<std::vector<std::vector<std::string>>> ParseCapabilitiesSelf(
    const std::vector<std::string>& paths, const HttpResponse& response);

// sys/health answers 200 active, 429 standby, 472/473 replication, 501 not initialised, 503 sealed.
enum class Health { kActive, kStandby, kSealed, kNotInitialized, kOther };
HttpRequest BuildHealth();
Health ParseHealth(const HttpResponse& response);

// <mount>/creds/<role>: new credentials with a lease on every read.
struct DatabaseCredentials {
  Secret username;
  Secret password;
  std::string lease_id;
  std::chrono::seconds lease_duration{0};
  bool renewable = false;
  std::vector<std::string> warnings;
};
HttpRequest BuildDatabaseCredentials(const Mount& mount, std::string_view role);
StatusOr<DatabaseCredentials> ParseDatabaseCredentials(const Mount& mount, std::string_view role,
                                                       const HttpResponse& response);

HttpRequest BuildLeaseRenew(std::string_view lease_id,
                            std::optional<std::chrono::seconds> increment);
HttpRequest BuildLeaseRevoke(std::string_view lease_id);

// OK for 2xx; InterpretError otherwise. For requests whose answer says nothing more.
Status ParseEmpty(std::string_view what, const HttpResponse& response);

// Vault's "warnings" of a 2xx answer; empty when there are none.
std::vector<std::string> ParseWarnings(const Json& body);

}  // namespace vaultcore

#endif  // VAULTCORE_API_SYS_H_
