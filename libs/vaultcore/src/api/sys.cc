#include "vaultcore/api/sys.h"

#include <absl/strings/str_format.h>

#include <utility>

#include "api/answer.h"
#include "vaultcore/api/errors.h"

namespace vaultcore {
namespace {

using internal::Malformed;
using internal::ParseObject;
using internal::Text;

std::chrono::seconds SecondsOf(const Json& value) {
  return std::chrono::seconds(std::max<int64_t>(0, value.AsInt()));
}

std::vector<std::string> Texts(const Json& array) {
  std::vector<std::string> texts;
  for (const Json& item : array.items()) texts.push_back(Text(item));
  return texts;
}

Json TextArray(const std::vector<std::string>& texts) {
  Json array = Json::Array();
  for (const std::string& text : texts) array.Append(Json::String(text));
  return array;
}

std::string LoginPath(const Mount& auth_mount) { return "auth/" + auth_mount.text() + "/login"; }

// A login whose answer is lost leaves at worst a token that nobody knows and that expires; failing
// instead would help nobody, so it is repeated.
HttpRequest LoginRequest(const Mount& auth_mount, const Json& body) {
  HttpRequest request(Method::kPut, LoginPath(auth_mount), body.Dump());
  request.set_idempotent(true);
  return request;
}

// The "auth" block of a login or a renewal.
StatusOr<AuthToken> ParseAuth(std::string_view what, const Json& body) {
  const Json& auth = body["auth"];
  if (auth["client_token"].AsText().empty()) {
    if (auth["mfa_requirement"].is_object()) {
      return MakeError(ErrorKind::kAuth,
                       std::string(what) + ": Vault demands a second factor for this login",
                       "use a login without multi-factor authentication for programs");
    }
    return Malformed(what, "auth.client_token");
  }
  AuthToken token;
  token.token = Secret::CopyOf(auth["client_token"].AsText());
  token.accessor = Text(auth["accessor"]);
  token.policies = Texts(auth["policies"]);
  token.ttl = SecondsOf(auth["lease_duration"]);
  token.renewable = auth["renewable"].AsBool();
  return token;
}

}  // namespace

HttpRequest BuildMountLookup(std::string_view mount_path) {
  return HttpRequest(Method::kGet, "sys/internal/ui/mounts/" + std::string(mount_path));
}

StatusOr<MountInfo> ParseMountLookup(std::string_view mount_path, const HttpResponse& response) {
  const std::string name = Printable(mount_path);
  const Operation operation{"look up the mount " + name, "", ""};
  if (!internal::IsSuccess(response)) {
    Status error = InterpretError(operation, response);
    if (KindOf(error) != ErrorKind::kPermission) return error;
    return WithHttpStatus(
        MakeError(ErrorKind::kPermission,
                  operation.what + ": no such mount, or no policy of the token touches it (Vault "
                                   "does not tell the two apart)",
                  "compare the name with the output of: vault secrets list; then see the token's "
                  "policies with: vault token lookup"),
        response.status);
  }
  VC_ASSIGN_OR_RETURN(const Json body, ParseObject(operation, response));
  const Json& data = body["data"];
  if (data["type"].AsText().empty()) return Malformed(operation.what, "data.type");
  MountInfo info;
  info.type = Text(data["type"]);
  info.path = Text(data["path"]);
  // "generic" is what Vault called KV version 1 at first.
  if (info.type == "kv" || info.type == "generic") {
    info.kv_version = data["options"]["version"].AsText() == "2" ? KvVersion::kV2 : KvVersion::kV1;
  }
  return info;
}

HttpRequest BuildAppRoleLogin(const Mount& auth_mount, const Secret& role_id,
                              const Secret& secret_id) {
  Json body = Json::Object();
  body.Set("role_id", Json::String(role_id.Reveal()));
  if (!secret_id.empty()) body.Set("secret_id", Json::String(secret_id.Reveal()));
  return LoginRequest(auth_mount, body);
}

HttpRequest BuildKubernetesLogin(const Mount& auth_mount, std::string_view role,
                                 const Secret& jwt) {
  Json body = Json::Object();
  body.Set("jwt", Json::String(jwt.Reveal())).Set("role", Json::String(role));
  return LoginRequest(auth_mount, body);
}

StatusOr<AuthToken> ParseLogin(std::string_view what, const HttpResponse& response) {
  Operation operation{std::string(what), "", ""};
  operation.is_login = true;
  VC_ASSIGN_OR_RETURN(const Json body, ParseObject(operation, response));
  VC_ASSIGN_OR_RETURN(AuthToken token, ParseAuth(what, body));
  token.owned = true;
  return token;
}

HttpRequest BuildTokenLookupSelf() { return HttpRequest(Method::kGet, "auth/token/lookup-self"); }

HttpRequest BuildTokenRenewSelf(std::optional<std::chrono::seconds> increment) {
  Json body = Json::Object();
  if (increment) body.Set("increment", Json::Number(increment->count()));
  HttpRequest request(Method::kPut, "auth/token/renew-self", body.Dump());
  request.set_idempotent(true);
  return request;
}

HttpRequest BuildTokenRevokeSelf() { return HttpRequest(Method::kPut, "auth/token/revoke-self"); }

StatusOr<AuthToken> ParseTokenLookup(const HttpResponse& response) {
  const Operation operation{"look up the token", "auth/token/lookup-self", "read"};
  VC_ASSIGN_OR_RETURN(const Json body, ParseObject(operation, response));
  const Json& data = body["data"];
  if (!data.is_object()) return Malformed(operation.what, "data");
  AuthToken token;
  token.accessor = Text(data["accessor"]);
  token.policies = Texts(data["policies"]);
  token.ttl = SecondsOf(data["ttl"]);
  token.renewable = data["renewable"].AsBool();
  return token;
}

StatusOr<AuthToken> ParseTokenRenew(const HttpResponse& response) {
  const Operation operation{"renew the token", "auth/token/renew-self", "update"};
  VC_ASSIGN_OR_RETURN(const Json body, ParseObject(operation, response));
  return ParseAuth(operation.what, body);
}

HttpRequest BuildWrapLookup(const Secret& wrapping_token) {
  Json body = Json::Object();
  body.Set("token", Json::String(wrapping_token.Reveal()));
  HttpRequest request(Method::kPut, "sys/wrapping/lookup", body.Dump());
  request.set_idempotent(true);
  return request;
}

StatusOr<std::string> ParseWrapLookupCreationPath(const HttpResponse& response) {
  Operation operation{"look up the wrapping token", "", ""};
  operation.is_login = true;
  VC_ASSIGN_OR_RETURN(const Json body, ParseObject(operation, response));
  std::string creation_path = Text(body["data"]["creation_path"]);
  if (creation_path.empty()) return Malformed(operation.what, "data.creation_path");
  return creation_path;
}

HttpRequest BuildUnwrap() { return HttpRequest(Method::kPut, "sys/wrapping/unwrap"); }

StatusOr<Json> ParseUnwrap(const HttpResponse& response) {
  Operation operation{"unwrap the response-wrapped secret", "", ""};
  operation.is_login = true;
  VC_ASSIGN_OR_RETURN(const Json body, ParseObject(operation, response));
  if (!body["data"].is_object()) return Malformed(operation.what, "data");
  return body["data"].Clone();
}

HttpRequest BuildCapabilitiesSelf(const std::vector<std::string>& paths) {
  Json body = Json::Object();
  body.Set("paths", TextArray(paths));
  HttpRequest request(Method::kPut, "sys/capabilities-self", body.Dump());
  request.set_idempotent(true);
  return request;
}

StatusOr<std::vector<std::vector<std::string>>> ParseCapabilitiesSelf(
    const std::vector<std::string>& paths, const HttpResponse& response) {
  const Operation operation{"ask for the token's capabilities", "sys/capabilities-self", "update"};
  VC_ASSIGN_OR_RETURN(const Json body, ParseObject(operation, response));
  std::vector<std::vector<std::string>> capabilities;
  for (const std::string& path : paths) {
    const Json& listed = body["data"][path];
    if (!listed.is_array()) return Malformed(operation.what, "data." + Printable(path));
    capabilities.push_back(Texts(listed));
  }
  return capabilities;
}

HttpRequest BuildHealth() { return HttpRequest(Method::kGet, "sys/health"); }

Health ParseHealth(const HttpResponse& response) {
  switch (response.status) {
    case 200:
      return Health::kActive;
    case 429:
    case 473:
      return Health::kStandby;
    case 501:
      return Health::kNotInitialized;
    case 503:
      return Health::kSealed;
    default:
      return Health::kOther;
  }
}

HttpRequest BuildDatabaseCredentials(const Mount& mount, std::string_view role) {
  return HttpRequest(Method::kGet, mount.text() + "/creds/" + std::string(role));
}

StatusOr<DatabaseCredentials> ParseDatabaseCredentials(const Mount& mount, std::string_view role,
                                                       const HttpResponse& response) {
  const std::string path = mount.text() + "/creds/" + Printable(role);
  const Operation operation{"read " + path, path, "read"};
  if (response.status == 400 && ServerErrors(response).find("unknown role") != std::string::npos) {
    return WithHttpStatus(
        MakeError(ErrorKind::kNotFound,
                  absl::StrFormat("%s: the database engine has no role \"%s\"", operation.what,
                                  Printable(role)),
                  absl::StrFormat("compare the name with the output of: vault list %s/roles",
                                  mount.text())),
        response.status);
  }
  if (response.status == 500) {
    return WithHint(InterpretError(operation, response),
                    absl::StrFormat("Vault must reach the database and may create users in it: "
                                    "see vault list %s/config",
                                    mount.text()));
  }
  VC_ASSIGN_OR_RETURN(const Json body, ParseObject(operation, response));
  const Json& data = body["data"];
  DatabaseCredentials credentials;
  credentials.username = Secret::CopyOf(data["username"].AsText());
  credentials.password = Secret::CopyOf(data["password"].AsText());
  if (credentials.username.empty()) return Malformed(operation.what, "data.username");
  if (credentials.password.empty()) {
    return Malformed(operation.what, "data.password: the role's credential_type is another");
  }
  credentials.lease_id = Text(body["lease_id"]);
  credentials.lease_duration = SecondsOf(body["lease_duration"]);
  credentials.renewable = body["renewable"].AsBool();
  credentials.warnings = ParseWarnings(body);
  return credentials;
}

HttpRequest BuildLeaseRenew(std::string_view lease_id,
                            std::optional<std::chrono::seconds> increment) {
  Json body = Json::Object();
  if (increment) body.Set("increment", Json::Number(increment->count()));
  body.Set("lease_id", Json::String(lease_id));
  HttpRequest request(Method::kPut, "sys/leases/renew", body.Dump());
  request.set_idempotent(true);
  return request;
}

HttpRequest BuildLeaseRevoke(std::string_view lease_id) {
  Json body = Json::Object();
  body.Set("lease_id", Json::String(lease_id));
  HttpRequest request(Method::kPut, "sys/leases/revoke", body.Dump());
  request.set_idempotent(true);
  return request;
}

Status ParseEmpty(std::string_view what, const HttpResponse& response) {
  if (internal::IsSuccess(response)) return absl::OkStatus();
  return InterpretError({std::string(what), "", ""}, response);
}

std::vector<std::string> ParseWarnings(const Json& body) {
  std::vector<std::string> warnings;
  for (const Json& warning : body["warnings"].items()) {
    warnings.push_back(Printable(warning.AsText()));
  }
  return warnings;
}

}  // namespace vaultcore
