// The chart's values as the operator sees them: what they say about Vault and about the loader.
// Pure, but for LoadValuesFile.

#ifndef APPS_GENERATOR_VALUES_H_
#define APPS_GENERATOR_VALUES_H_

#include <string>
#include <string_view>
#include <vector>

#include "generator/needs.h"
#include "generator/value.h"
#include "vaultcore/base/secret.h"
#include "vaultcore/base/status.h"
#include "vaultcore/config/yaml.h"
#include "vaultcore/model/connection.h"

namespace generator {

// How global.externalSecretsLoader.vault describes the way to Vault.
struct VaultSettings {
  enum class Method { kToken, kAppRole, kKubernetes };

  vaultcore::Endpoint address;
  std::string engine;
  std::string base_path;
  bool skip_verify = false;  // tlsDisabled or insecure
  std::string ca_path;       // caCert.mountPath with caCert.secretKey; "" for none
  Method method = Method::kToken;
  std::string role;
  std::string auth_mount;   // "" for the method's default
  vaultcore::Secret token;  // empty for none
  vaultcore::Secret role_id;
  vaultcore::Secret secret_id;
};

// One values file, a map or empty. Errors: kNotFound, kIo; kUsage with file:line:column.
vaultcore::StatusOr<vaultcore::YamlNode> LoadValuesFile(const std::string& path);
vaultcore::StatusOr<vaultcore::YamlNode> ParseValues(std::string_view text,
                                                     std::string_view source_name);

// Errors: kUsage, naming the value that is missing or wrong by its path.
vaultcore::StatusOr<VaultSettings> ReadVaultSettings(const vaultcore::YamlNode& merged);

// Keys of one values file's global.externalSecretsLoader that nobody reads, one line each with
// file:line:column and the nearest that is known: a misspelt one is silently ignored otherwise.
std::vector<std::string> UnknownLoaderKeys(const vaultcore::YamlNode& values,
                                           std::string_view source_name);

// A Helm flag that switches the loader: "--set", "global.externalSecretsLoader.enabled=false".
struct Switch {
  std::string flag;
  std::string assignment;
};
// What to add to the operator's options for a rendering with the loader on or off. The type the
// values have is kept (a chart may compare with a bool or with a string). Off also overrules the
// subcharts that the values switch on by themselves.
std::vector<Switch> LoaderSwitches(const vaultcore::YamlNode& merged, bool on);
// The same for one subchart that renders a loader although it is off globally, by its path below
// the umbrella: {"core", "accounts"}.
Switch SubchartOff(const std::vector<std::string>& subchart);

// The keys that global.databases.<type>.ssl names where it is enabled. Errors: kUsage for an
// `enabled` that is no boolean.
vaultcore::StatusOr<std::vector<TlsKey>> DatabaseTlsKeys(const vaultcore::YamlNode& merged);

// A scalar of the values with the key it stands under.
struct NamedScalar {
  std::string key;
  Value value;
};
// All scalars that are text (no booleans, no numbers) and not empty.
std::vector<NamedScalar> TextScalars(const vaultcore::YamlNode& values);

// True for names that suggest a secret: password, token, secret, key, credential and the like.
bool LooksSecret(std::string_view name);

}  // namespace generator

#endif  // APPS_GENERATOR_VALUES_H_
