// LoaderConfig: the file that tells a service's loader what to fetch and where to put it
// (`secrets-loader-config.yaml` in a chart's ConfigMap). The loader obeys it; the generator reads
// the ones that a chart renders, to know what loaders will ask for. docs/loader-config.md lists
// every key.
//
// Charts quote everything: "true" is true, and an empty string or null means "not set". Pure;
// thread-safe.

#ifndef VAULTCORE_CONFIG_LOADER_CONFIG_H_
#define VAULTCORE_CONFIG_LOADER_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vaultcore/base/secret.h"
#include "vaultcore/base/status.h"
#include "vaultcore/model/connection.h"
#include "vaultcore/model/layout.h"

namespace vaultcore {

// How the env file is written.
enum class EnvFormat {
  kShell,   // NAME='value'
  kExport,  // export NAME='value'
  kDotenv,  // NAME='value', or NAME="value" where the value holds a single quote
  kJson,    // {"NAME": "value"}
};
// "sh", "export", "dotenv", "json"; nullopt for anything else.
std::optional<EnvFormat> ParseEnvFormat(std::string_view name);

// How file secrets are kept in Vault, whose values are text.
enum class FileEncoding {
  kAuto,    // base64 where it decodes to a known binary format, else as they are
  kRaw,     // as they are
  kBase64,  // all of them base64
};

struct LoaderAuth {
  enum class Method { kKubernetes, kToken, kAppRole };

  // Where the file names none: kubernetes if there is a role, approle if a roleId, else token.
  Method method = Method::kToken;
  std::string mount;       // "kubernetes" or "approle" where the file names none; "" for kToken
  std::string role;        // kubernetes
  std::string token_path;  // kubernetes: service account token file; "" for the cluster's default
  Secret token;            // kToken; empty: the program looks elsewhere (VAULT_TOKEN)
  Secret role_id;          // approle; empty: the program looks elsewhere
  Secret secret_id;        // approle; empty: the program looks elsewhere
  bool secret_id_is_wrapping_token = false;
};

// One entry of `databases`.
struct LoaderDatabase {
  std::string type;  // "mongo": names the database in messages, and its default path
  bool dynamic = false;
  std::string engine;       // dynamic: database mount; static: KV mount. Never empty
  std::string role;         // dynamic only
  std::string static_path;  // static: path below `engine`; "" for <basePath>/<type>
  std::vector<std::string> user_variables;      // valid environment names
  std::vector<std::string> password_variables;  // valid environment names
  // Static only: keys of the entry that hold TLS material; none of them need be there.
  std::string ca_file_key = "caFile";
  std::string trust_store_key = "trustStore";
  std::string trust_store_password_key = "trustStorePassword";
  bool required = false;  // true: an entry or key that is missing fails the run
};

// One of `entries`: a KV entry by name, mapped to variables and files of chosen names.
struct LoaderEntry {
  struct Mapping {
    std::string name;  // of the variable (valid), or of the file
    std::string key;   // of the entry
  };

  std::string engine;  // KV mount. Never empty
  std::string path;    // below <engine>/<basePath>
  bool required = true;
  std::vector<Mapping> variables;
  std::vector<Mapping> files;
};

// One of `templates`.
struct LoaderTemplate {
  std::string destination;
  std::string contents;  // exactly one of the two is set
  std::string source;    // a file that holds the contents
  uint32_t mode = 0600;
};

struct LoaderConfig {
  std::optional<Endpoint> address;  // nullopt: the program looks elsewhere (VAULT_ADDR)
  std::string vault_namespace;      // "" for none
  std::string ca_cert;              // path of a PEM file or folder; "" for none
  bool skip_verify = false;         // `tlsDisabled` or `insecure`
  std::string engine = "secret";
  std::string base_path;
  LoaderAuth auth;

  std::string service;  // never empty while environment or file secrets are enabled

  bool env_enabled = true;
  bool env_required = false;  // true: a missing env-secrets entry fails the run
  std::string env_file = "/opt/harness/secrets/.env";
  uint32_t env_mode = 0600;
  EnvFormat env_format = EnvFormat::kShell;
  // True: values that a chart's start command would change after sourcing are written so that they
  // come out of it unchanged. kShell and kExport only.
  bool env_expansion_safe = false;
  bool files_enabled = true;
  bool files_required = false;
  std::string files_folder = "/opt/harness/secrets/files";
  uint32_t files_mode = 0600;
  FileEncoding file_encoding = FileEncoding::kAuto;

  std::vector<LoaderDatabase> databases;
  std::vector<LoaderEntry> entries;
  std::vector<LoaderTemplate> templates;

  // Where this service's entries are. Parsed configurations always have one.
  StatusOr<SecretLayout> Layout() const { return SecretLayout::Create(engine, base_path); }
};

// Parses `text`. Unknown keys go to `warnings` (may be null), one "file:line:column: ..." each,
// with the nearest known key. Errors: kUsage for malformed YAML, wrong types, values out of range
// and required keys that are missing; all of them in one message, each with file:line:column, and
// never a value of the file.
StatusOr<LoaderConfig> ParseLoaderConfig(std::string_view text, std::string_view source_name,
                                         std::vector<std::string>* warnings);

}  // namespace vaultcore

#endif  // VAULTCORE_CONFIG_LOADER_CONFIG_H_
