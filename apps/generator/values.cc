#include "generator/values.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "vaultcore/base/encoding.h"
#include "vaultcore/base/file.h"

namespace generator {
namespace {

using vaultcore::ErrorKind;
using vaultcore::MakeError;
using vaultcore::Secret;
using vaultcore::Status;
using vaultcore::StatusOr;
using vaultcore::YamlNode;

constexpr char kLoader[] = "externalSecretsLoader";
constexpr char kGlobalLoader[] = "global.externalSecretsLoader";
constexpr char kVault[] = "global.externalSecretsLoader.vault";

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

std::string PathOf(std::string_view key) { return std::string(kVault) + "." + std::string(key); }

// The text at `key` below the vault block; empty when it is not set.
StatusOr<std::string> Text(const YamlNode& vault, std::string_view key) {
  const YamlNode& node = vault.At(key);
  if (node.is_null()) return std::string();
  if (!node.is_scalar()) {
    return MakeError(ErrorKind::kUsage, PathOf(key) + " in the values is not a text");
  }
  return node.text();
}

StatusOr<bool> Flag(const YamlNode& vault, std::string_view key) {
  const YamlNode& node = vault.At(key);
  if (node.is_null() || (node.is_scalar() && node.text().empty())) return false;
  const std::optional<bool> value = node.AsBool();
  if (!value.has_value()) {
    return MakeError(ErrorKind::kUsage, PathOf(key) + " in the values is neither true nor false");
  }
  return *value;
}

StatusOr<Secret> SecretText(const YamlNode& vault, std::string_view key) {
  VC_ASSIGN_OR_RETURN(std::string text, Text(vault, key));
  return Secret::TakeAndWipe(text);
}

Status ReadAuth(const YamlNode& vault, VaultSettings& settings) {
  VC_ASSIGN_OR_RETURN(const std::string method, Text(vault, "auth.method"));
  if (method == "kubernetes") {
    settings.method = VaultSettings::Method::kKubernetes;
  } else if (method == "approle") {
    settings.method = VaultSettings::Method::kAppRole;
  } else if (!method.empty() && method != "token") {
    return MakeError(ErrorKind::kUsage,
                     PathOf("auth.method") + " in the values is not one that is known here",
                     "it is one of kubernetes, token, approle");
  }
  VC_ASSIGN_OR_RETURN(settings.role, Text(vault, "auth.role"));
  VC_ASSIGN_OR_RETURN(settings.auth_mount, Text(vault, "auth.path"));
  VC_ASSIGN_OR_RETURN(settings.token, SecretText(vault, "auth.token"));
  VC_ASSIGN_OR_RETURN(settings.role_id, SecretText(vault, "auth.roleId"));
  VC_ASSIGN_OR_RETURN(settings.secret_id, SecretText(vault, "auth.secretId"));
  return absl::OkStatus();
}

Switch MakeSwitch(const std::string& path, const YamlNode& present, bool on) {
  const bool as_text = present.is_scalar() && !present.plain();
  return {as_text ? "--set-string" : "--set", path + (on ? "=true" : "=false")};
}

// Helm's --set reads dots and commas in names as its own.
std::string EscapedKey(std::string_view key) {
  std::string escaped;
  for (const char c : key) {
    if (c == '.' || c == ',' || c == '=' || c == '[' || c == '\\') escaped.push_back('\\');
    escaped.push_back(c);
  }
  return escaped;
}

void FindSubchartSwitches(const YamlNode& node, const std::string& path,
                          std::vector<Switch>& switches) {
  for (const YamlNode::Member& member : node.members()) {
    if (!member.value.is_map()) continue;
    const std::string below = path + EscapedKey(member.key) + ".";
    if (member.key == kLoader) {
      const YamlNode& enabled = member.value["enabled"];
      if (enabled.AsBool().value_or(false)) {
        switches.push_back(MakeSwitch(below + "enabled", enabled, false));
      }
    } else if (!(path.empty() && member.key == "global")) {
      FindSubchartSwitches(member.value, below, switches);
    }
  }
}

void CollectScalars(const YamlNode& node, std::string_view key, std::vector<NamedScalar>& into) {
  if (node.is_scalar()) {
    const bool number = node.plain() && !node.text().empty() &&
                        std::all_of(node.text().begin(), node.text().end(), [](unsigned char c) {
                          return std::isdigit(c) || c == '.' || c == '-';
                        });
    if (!node.text().empty() && !number && !node.AsBool().has_value()) {
      into.push_back({std::string(key), MakeValue(node.text())});
    }
  }
  for (const YamlNode& item : node.items()) CollectScalars(item, key, into);
  for (const YamlNode::Member& member : node.members()) {
    CollectScalars(member.value, member.key, into);
  }
}

struct KnownKeys {
  const char* path;  // below global.externalSecretsLoader
  std::vector<std::string> keys;
};

const std::vector<KnownKeys>& LoaderKeys() {
  static const std::vector<KnownKeys> kKeys = {
      {"", {"enabled", "provider", "image", "serviceName", "configName", "vault", "databases"}},
      {"vault",
       {"address", "engine", "basePath", "namespace", "tlsDisabled", "insecure", "caCert", "auth"}},
      {"vault.caCert", {"mountPath", "secretName", "secretKey", "configMapName", "configMapKey"}},
      {"vault.auth",
       {"method", "role", "path", "serviceAccount", "token", "tokenPath", "roleId", "secretId",
        "secretIdWrapped"}},
  };
  return kKeys;
}

}  // namespace

StatusOr<YamlNode> ParseValues(std::string_view text, std::string_view source_name) {
  vaultcore::YamlLimits limits;
  limits.allow_duplicate_keys = true;  // Helm takes the last
  VC_ASSIGN_OR_RETURN(YamlNode values, vaultcore::ParseYaml(text, source_name, limits));
  if (!values.is_null() && !values.is_map()) {
    return MakeError(ErrorKind::kUsage,
                     std::string(source_name) + ":" + std::to_string(values.line()) + ":" +
                         std::to_string(values.column()) + ": values must be a map (key: value)");
  }
  return values;
}

StatusOr<YamlNode> LoadValuesFile(const std::string& path) {
  if (path == "-" || path.find("://") != std::string::npos) {
    return MakeError(ErrorKind::kUsage, "values must come from a file, not from a pipe or an URL",
                     "the chart is rendered several times; save the values to a file first");
  }
  StatusOr<vaultcore::Secret> text = vaultcore::ReadSecretFile(path);
  if (!text.ok()) {
    // A mistyped file name is a mistake of the command line, not a secret that is missing.
    if (vaultcore::KindOf(text.status()) != ErrorKind::kNotFound) return text.status();
    return MakeError(ErrorKind::kUsage, vaultcore::MessageOf(text.status()),
                     vaultcore::HintOf(text.status()));
  }
  return ParseValues(text->Reveal(), path);
}

StatusOr<VaultSettings> ReadVaultSettings(const YamlNode& merged) {
  const YamlNode& loader = merged.At(kGlobalLoader);
  const YamlNode& vault = loader["vault"];
  if (!vault.is_map()) {
    return MakeError(ErrorKind::kUsage, std::string(kVault) + " is not set in the values",
                     "give the values file that says where Vault is: -f override.yaml");
  }
  const YamlNode& provider = loader["provider"];
  if (provider.is_scalar() && !provider.text().empty() && provider.text() != "vault") {
    return MakeError(ErrorKind::kUsage,
                     std::string(kGlobalLoader) + ".provider in the values is not \"vault\"");
  }
  VaultSettings settings;
  VC_ASSIGN_OR_RETURN(const std::string address, Text(vault, "address"));
  if (address.empty()) {
    return MakeError(ErrorKind::kUsage, PathOf("address") + " is not set in the values",
                     "give the values file that says where Vault is: -f override.yaml");
  }
  StatusOr<vaultcore::Endpoint> endpoint = vaultcore::Endpoint::Parse(address);
  if (!endpoint.ok()) return vaultcore::Annotate(endpoint.status(), PathOf("address"));
  settings.address = *endpoint;
  VC_ASSIGN_OR_RETURN(settings.engine, Text(vault, "engine"));
  if (settings.engine.empty()) settings.engine = "secret";
  VC_ASSIGN_OR_RETURN(settings.base_path, Text(vault, "basePath"));
  VC_ASSIGN_OR_RETURN(const bool tls_disabled, Flag(vault, "tlsDisabled"));
  VC_ASSIGN_OR_RETURN(const bool insecure, Flag(vault, "insecure"));
  settings.skip_verify = tls_disabled || insecure;
  VC_ASSIGN_OR_RETURN(settings.ca_path, Text(vault, "caCert.mountPath"));
  VC_RETURN_IF_ERROR(ReadAuth(vault, settings));
  return settings;
}

std::vector<std::string> UnknownLoaderKeys(const YamlNode& values, std::string_view source_name) {
  std::vector<std::string> lines;
  const YamlNode& loader = values.At(kGlobalLoader);
  for (const KnownKeys& known : LoaderKeys()) {
    const YamlNode& block = *known.path == '\0' ? loader : loader.At(known.path);
    for (const YamlNode::Member& member : block.members()) {
      if (std::find(known.keys.begin(), known.keys.end(), member.key) != known.keys.end()) continue;
      const std::string near = vaultcore::ClosestMatch(member.key, known.keys);
      // Blocks may hold keys of the chart's own; a near miss is none of them.
      if (near.empty()) continue;
      lines.push_back(std::string(source_name) + ":" + std::to_string(member.line) + ":" +
                      std::to_string(member.column) + ": unknown key \"" +
                      vaultcore::Printable(member.key, 60) + "\"; did you mean \"" + near + "\"?");
    }
  }
  return lines;
}

std::vector<Switch> LoaderSwitches(const YamlNode& merged, bool on) {
  std::vector<Switch> switches;
  const YamlNode& enabled = merged.At(kGlobalLoader)["enabled"];
  switches.push_back(MakeSwitch(std::string(kGlobalLoader) + ".enabled", enabled, on));
  if (!on) FindSubchartSwitches(merged, "", switches);
  return switches;
}

Switch SubchartOff(const std::vector<std::string>& subchart) {
  std::string path;
  for (const std::string& name : subchart) path += EscapedKey(name) + ".";
  return {"--set", path + kLoader + ".enabled=false"};
}

StatusOr<std::vector<TlsKey>> DatabaseTlsKeys(const YamlNode& merged) {
  std::vector<TlsKey> keys;
  for (const YamlNode::Member& database : merged.At("global.databases").members()) {
    const YamlNode& ssl = database.value["ssl"];
    const YamlNode& enabled = ssl["enabled"];
    if (enabled.is_null() || (enabled.is_scalar() && enabled.text().empty())) continue;
    const std::optional<bool> on = enabled.AsBool();
    if (!on.has_value()) {
      return MakeError(ErrorKind::kUsage, "global.databases." + database.key +
                                              ".ssl.enabled in the values is neither true nor "
                                              "false");
    }
    if (!*on) continue;
    for (const char* name : {"caFileKey", "trustStoreKey", "trustStorePasswordKey"}) {
      if (!ssl[name].text().empty()) keys.push_back({database.key, ssl[name].text()});
    }
  }
  return keys;
}

std::vector<NamedScalar> TextScalars(const YamlNode& values) {
  std::vector<NamedScalar> scalars;
  CollectScalars(values, "", scalars);
  return scalars;
}

bool LooksSecret(std::string_view name) {
  constexpr std::array<std::string_view, 16> kWords = {
      "pass",   "pwd",       "secret",    "token",      "credential", "private",
      "apikey", "api_key",   "accesskey", "access_key", "access-key", "license",
      "salt",   "signature", "encrypt",   "jwt"};
  const std::string lower = Lower(name);
  if (lower.ends_with("key") || lower.ends_with("keys")) return true;
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

}  // namespace generator
