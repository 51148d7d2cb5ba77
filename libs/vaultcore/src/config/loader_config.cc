#include "vaultcore/config/loader_config.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <utility>

#include "vaultcore/base/encoding.h"
#include "vaultcore/config/yaml.h"
#include "vaultcore/model/path.h"

namespace vaultcore {
namespace {

// Reads typed members of a YAML tree and collects what is wrong with it, so that one run tells
// everything.
class Reader {
 public:
  Reader(std::string_view source_name, std::vector<std::string>* warnings)
      : source_name_(source_name), warnings_(warnings) {}

  // A problem at `node`, or at `parent` when the node is missing.
  void Error(const YamlNode& node, const YamlNode& parent, std::string_view message) {
    const YamlNode& at = node.line() > 0 ? node : parent;
    errors_.push_back(Located(at.line(), at.column(), message));
  }

  // The member as a map; a null node, after an error unless it is unset, when it is none. Unknown
  // keys are warned about.
  const YamlNode& Map(const YamlNode& parent, std::string_view key, const std::string& where,
                      const std::vector<std::string>& known) {
    const YamlNode& node = parent[key];
    if (!node.is_map()) {
      if (!IsUnset(node)) Error(node, parent, absl::StrCat(where, " must be a mapping"));
      return kNull;
    }
    WarnUnknown(node, where, known);
    return node;
  }

  void WarnUnknown(const YamlNode& map, const std::string& where,
                   const std::vector<std::string>& known) {
    if (warnings_ == nullptr) return;
    for (const YamlNode::Member& member : map.members()) {
      if (std::find(known.begin(), known.end(), member.key) != known.end()) continue;
      std::string message = absl::StrCat("unknown key \"", Printable(member.key, 60), "\"",
                                         where.empty() ? "" : " in ", where, " is ignored");
      const std::string close = ClosestMatch(member.key, known);
      if (!close.empty()) absl::StrAppend(&message, "; did you mean \"", close, "\"?");
      warnings_->push_back(Located(member.line, member.column, message));
    }
  }

  // Text; "" when unset.
  std::string Text(const YamlNode& parent, std::string_view key, const std::string& where) {
    const YamlNode& node = parent[key];
    if (node.is_null()) return "";
    if (!node.is_scalar()) {
      Error(node, parent, absl::StrCat(where, " must be text"));
      return "";
    }
    return node.text();
  }

  bool Bool(const YamlNode& parent, std::string_view key, const std::string& where, bool fallback) {
    const YamlNode& node = parent[key];
    if (IsUnset(node)) return fallback;
    const std::optional<bool> value = node.AsBool();
    if (!value) Error(node, parent, absl::StrCat(where, " must be true or false"));
    return value.value_or(fallback);
  }

  std::vector<std::string> TextList(const YamlNode& parent, std::string_view key,
                                    const std::string& where) {
    std::vector<std::string> texts;
    for (const YamlNode* item : Items(parent, key, where)) {
      if (item->is_scalar()) {
        texts.push_back(item->text());
      } else {
        Error(*item, parent[key], absl::StrCat(where, " must be a list of texts"));
      }
    }
    return texts;
  }

  std::vector<const YamlNode*> Items(const YamlNode& parent, std::string_view key,
                                     const std::string& where) {
    const YamlNode& node = parent[key];
    std::vector<const YamlNode*> items;
    if (node.is_sequence()) {
      for (const YamlNode& item : node.items()) items.push_back(&item);
    } else if (!IsUnset(node)) {
      Error(node, parent, absl::StrCat(where, " must be a list"));
    }
    return items;
  }

  // OK, or one kUsage error with everything that was found.
  Status Result() const {
    if (errors_.empty()) return absl::OkStatus();
    return MakeError(ErrorKind::kUsage, absl::StrJoin(errors_, "; "));
  }

  static bool IsUnset(const YamlNode& node) {
    return node.is_null() || (node.is_scalar() && node.text().empty());
  }

  static const YamlNode kNull;

 private:
  std::string Located(int line, int column, std::string_view message) const {
    return absl::StrCat(source_name_, ":", std::max(line, 1), ":", std::max(column, 1), ": ",
                        ToAbsl(message));
  }

  std::string source_name_;
  std::vector<std::string>* warnings_;
  std::vector<std::string> errors_;
};

const YamlNode Reader::kNull;

Secret SecretText(Reader& reader, const YamlNode& parent, std::string_view key,
                  const std::string& where) {
  std::string text = reader.Text(parent, key, where);
  return Secret::TakeAndWipe(text);
}

void CheckMount(Reader& reader, const YamlNode& parent, std::string_view key,
                const std::string& where, const std::string& mount) {
  if (const StatusOr<Mount> parsed = Mount::Parse(mount); !parsed.ok()) {
    reader.Error(parent[key], parent, absl::StrCat(where, ": ", parsed.status().message()));
  }
}

void ReadAuth(Reader& reader, const YamlNode& vault, LoaderAuth& auth) {
  const YamlNode& node = reader.Map(vault, "auth", "vault.auth",
                                    {"method", "role", "path", "serviceAccount", "tokenPath",
                                     "token", "roleId", "secretId", "secretIdWrapped"});
  auth.role = reader.Text(node, "role", "vault.auth.role");
  auth.mount = reader.Text(node, "path", "vault.auth.path");
  auth.token_path = reader.Text(node, "tokenPath", "vault.auth.tokenPath");
  auth.token = SecretText(reader, node, "token", "vault.auth.token");
  auth.role_id = SecretText(reader, node, "roleId", "vault.auth.roleId");
  auth.secret_id = SecretText(reader, node, "secretId", "vault.auth.secretId");
  auth.secret_id_is_wrapping_token =
      reader.Bool(node, "secretIdWrapped", "vault.auth.secretIdWrapped", false);

  std::string method = reader.Text(node, "method", "vault.auth.method");
  if (method.empty()) {
    // As the charts' own default, unless other keys say what was meant.
    method = !auth.role.empty() ? "kubernetes" : !auth.role_id.empty() ? "approle" : "token";
  }
  if (method == "kubernetes") {
    auth.method = LoaderAuth::Method::kKubernetes;
    if (auth.mount.empty()) auth.mount = "kubernetes";
    if (auth.role.empty()) {
      reader.Error(node["role"], node, "vault.auth.role is missing: the kubernetes login needs it");
    }
  } else if (method == "approle") {
    auth.method = LoaderAuth::Method::kAppRole;
    if (auth.mount.empty()) auth.mount = "approle";
  } else if (method == "token") {
    auth.method = LoaderAuth::Method::kToken;
    auth.mount.clear();
    return;
  } else {
    reader.Error(node["method"], node, "vault.auth.method must be kubernetes, approle or token");
    return;
  }
  CheckMount(reader, node, "path", "vault.auth.path", auth.mount);
}

void ReadVault(Reader& reader, const YamlNode& root, LoaderConfig& config) {
  const YamlNode& vault = reader.Map(
      root, "vault", "vault",
      {"address", "engine", "basePath", "namespace", "tlsDisabled", "insecure", "caCert", "auth"});
  if (!vault.is_map()) {
    if (Reader::IsUnset(root["vault"])) reader.Error(root["vault"], root, "vault is missing");
    return;
  }
  if (const std::string address = reader.Text(vault, "address", "vault.address");
      !address.empty()) {
    StatusOr<Endpoint> endpoint = Endpoint::Parse(address);
    if (endpoint.ok()) {
      config.address = *std::move(endpoint);
    } else {
      reader.Error(vault["address"], vault,
                   absl::StrCat("vault.address: ", endpoint.status().message()));
    }
  }
  if (std::string engine = reader.Text(vault, "engine", "vault.engine"); !engine.empty()) {
    config.engine = std::move(engine);
  }
  CheckMount(reader, vault, "engine", "vault.engine", config.engine);
  config.base_path = reader.Text(vault, "basePath", "vault.basePath");
  if (const StatusOr<SecretLayout> layout = SecretLayout::Create("secret", config.base_path);
      !layout.ok()) {
    reader.Error(vault["basePath"], vault,
                 absl::StrCat("vault.basePath: ", layout.status().message()));
  }
  config.vault_namespace = reader.Text(vault, "namespace", "vault.namespace");
  config.ca_cert = reader.Text(vault, "caCert", "vault.caCert");
  const bool tls_disabled = reader.Bool(vault, "tlsDisabled", "vault.tlsDisabled", false);
  const bool insecure = reader.Bool(vault, "insecure", "vault.insecure", false);
  config.skip_verify = tls_disabled || insecure;
  ReadAuth(reader, vault, config.auth);
}

// File permissions, three or four octal digits; others never get the right to write.
uint32_t ReadMode(Reader& reader, const YamlNode& parent, const std::string& where) {
  constexpr uint32_t kDefault = 0600;
  const std::string text = reader.Text(parent, "mode", where);
  if (text.empty()) return kDefault;
  uint32_t mode = 0;
  bool octal = text.size() == 3 || (text.size() == 4 && text[0] == '0');
  for (const char digit : text) {
    octal = octal && digit >= '0' && digit <= '7';
    mode = mode * 8 + static_cast<uint32_t>(digit - '0');
  }
  if (octal && (mode & 0002) == 0 && (mode & 0400) != 0) return mode;
  reader.Error(parent["mode"], parent,
               absl::StrCat(where,
                            " must be octal permissions like \"0640\", readable by the owner and "
                            "not writable by others"));
  return kDefault;
}

void ReadSecrets(Reader& reader, const YamlNode& root, LoaderConfig& config) {
  const YamlNode& secrets = reader.Map(root, "secrets", "secrets", {"envSecrets", "fileSecrets"});
  const YamlNode& env = reader.Map(
      secrets, "envSecrets", "secrets.envSecrets",
      {"enabled", "required", "outputFile", "mode", "format", "expansionSafe", "categories"});
  config.env_enabled = reader.Bool(env, "enabled", "secrets.envSecrets.enabled", true);
  config.env_required = reader.Bool(env, "required", "secrets.envSecrets.required", false);
  reader.TextList(env, "categories", "secrets.envSecrets.categories");
  if (std::string file = reader.Text(env, "outputFile", "secrets.envSecrets.outputFile");
      !file.empty()) {
    config.env_file = std::move(file);
  }
  config.env_mode = ReadMode(reader, env, "secrets.envSecrets.mode");
  if (const std::string name = reader.Text(env, "format", "secrets.envSecrets.format");
      !name.empty()) {
    const std::optional<EnvFormat> format = ParseEnvFormat(name);
    if (!format) {
      reader.Error(env["format"], env,
                   "secrets.envSecrets.format must be sh, export, dotenv or json");
    }
    config.env_format = format.value_or(config.env_format);
  }
  const std::string safe = reader.Text(env, "expansionSafe", "secrets.envSecrets.expansionSafe");
  config.env_expansion_safe = safe == "auto";
  if (!safe.empty() && safe != "auto" && safe != "off") {
    reader.Error(env["expansionSafe"], env, "secrets.envSecrets.expansionSafe must be auto or off");
  }
  const YamlNode& files =
      reader.Map(secrets, "fileSecrets", "secrets.fileSecrets",
                 {"enabled", "required", "outputPath", "mode", "encoding", "categories"});
  config.files_mode = ReadMode(reader, files, "secrets.fileSecrets.mode");
  const std::string encoding = reader.Text(files, "encoding", "secrets.fileSecrets.encoding");
  if (encoding == "raw") {
    config.file_encoding = FileEncoding::kRaw;
  } else if (encoding == "base64") {
    config.file_encoding = FileEncoding::kBase64;
  } else if (!encoding.empty() && encoding != "auto") {
    reader.Error(files["encoding"], files,
                 "secrets.fileSecrets.encoding must be auto, raw or base64");
  }
  config.files_enabled = reader.Bool(files, "enabled", "secrets.fileSecrets.enabled", true);
  config.files_required = reader.Bool(files, "required", "secrets.fileSecrets.required", false);
  reader.TextList(files, "categories", "secrets.fileSecrets.categories");
  if (std::string folder = reader.Text(files, "outputPath", "secrets.fileSecrets.outputPath");
      !folder.empty()) {
    config.files_folder = std::move(folder);
  }
}

// The names of a userEnvSecrets or passwordEnvSecrets list.
std::vector<std::string> ReadVariables(Reader& reader, const YamlNode& database,
                                       std::string_view key, const std::string& where) {
  std::vector<std::string> names = reader.TextList(database, key, where);
  std::erase(names, "");
  for (const std::string& name : names) {
    if (IsEnvironmentName(name)) continue;
    reader.Error(database[key], database,
                 absl::StrCat(where, ": \"", Printable(name, 60),
                              "\" cannot be the name of an environment variable"));
  }
  return names;
}

void ReadDatabase(Reader& reader, const YamlNode& list, const YamlNode& node,
                  const std::string& where, LoaderConfig& config) {
  if (!node.is_map()) {
    reader.Error(node, list, absl::StrCat(where, " must be a mapping"));
    return;
  }
  reader.WarnUnknown(
      node, where,
      {"type", "useDatabaseSecretsEngine", "engine", "databaseRole", "overridePath", "basePath",
       "userEnvSecrets", "passwordEnvSecrets", "instances", "required", "ssl"});
  LoaderDatabase database;
  database.type = reader.Text(node, "type", where + ".type");
  if (database.type.empty()) {
    reader.Error(node["type"], node, absl::StrCat(where, ".type is missing"));
  }
  database.dynamic =
      reader.Bool(node, "useDatabaseSecretsEngine", where + ".useDatabaseSecretsEngine", false);
  database.required = reader.Bool(node, "required", where + ".required", false);
  database.engine = reader.Text(node, "engine", where + ".engine");
  if (database.engine.empty()) database.engine = database.dynamic ? "database" : config.engine;
  CheckMount(reader, node, "engine", where + ".engine", database.engine);
  database.role = reader.Text(node, "databaseRole", where + ".databaseRole");
  if (database.dynamic && database.role.empty()) {
    reader.Error(
        node["databaseRole"], node,
        absl::StrCat(where, ".databaseRole is missing: useDatabaseSecretsEngine needs it"));
  }
  // Some charts call the override basePath; both may be rendered, one of them empty.
  const std::string base_path = reader.Text(node, "basePath", where + ".basePath");
  database.static_path = reader.Text(node, "overridePath", where + ".overridePath");
  const char* path_key = "overridePath";
  if (database.static_path.empty()) {
    database.static_path = base_path;
    path_key = "basePath";
  }
  const std::string& path = database.static_path.empty() ? database.type : database.static_path;
  if (!path.empty() && !database.dynamic) {
    if (const StatusOr<SecretPath> parsed = SecretPath::Parse(path); !parsed.ok()) {
      if (database.static_path.empty()) path_key = "type";
      reader.Error(node[path_key], node,
                   absl::StrCat(where, ".", path_key, ": ", parsed.status().message()));
    }
  }
  database.user_variables =
      ReadVariables(reader, node, "userEnvSecrets", where + ".userEnvSecrets");
  database.password_variables =
      ReadVariables(reader, node, "passwordEnvSecrets", where + ".passwordEnvSecrets");
  const YamlNode& ssl =
      reader.Map(node, "ssl", where + ".ssl",
                 {"enabled", "caFileKey", "trustStoreKey", "trustStorePasswordKey"});
  for (const auto& [key, value] : {
           std::pair<const char*, std::string*>{"caFileKey", &database.ca_file_key},
           {"trustStoreKey", &database.trust_store_key},
           {"trustStorePasswordKey", &database.trust_store_password_key},
       }) {
    std::string name = reader.Text(ssl, key, absl::StrCat(where, ".ssl.", key));
    if (!name.empty()) *value = std::move(name);
  }
  config.databases.push_back(std::move(database));
}

std::vector<LoaderEntry::Mapping> ReadMappings(Reader& reader, const YamlNode& entry,
                                               std::string_view key, const std::string& where,
                                               bool are_variables) {
  std::vector<LoaderEntry::Mapping> mappings;
  const YamlNode& node = entry[key];
  if (Reader::IsUnset(node)) return mappings;
  if (!node.is_map()) {
    reader.Error(node, entry, absl::StrCat(where, " must be a mapping of names to keys"));
    return mappings;
  }
  for (const YamlNode::Member& member : node.members()) {
    if (!member.value.is_scalar() || member.value.text().empty()) {
      reader.Error(member.value, node,
                   absl::StrCat(where, ".", Printable(member.key, 60), " must name a key"));
    } else if (are_variables && !IsEnvironmentName(member.key)) {
      reader.Error(member.value, node,
                   absl::StrCat(where, ": \"", Printable(member.key, 60),
                                "\" cannot be the name of an environment variable"));
    } else {
      mappings.push_back({member.key, member.value.text()});
    }
  }
  return mappings;
}

void ReadEntry(Reader& reader, const YamlNode& list, const YamlNode& node, const std::string& where,
               LoaderConfig& config) {
  if (!node.is_map()) {
    reader.Error(node, list, absl::StrCat(where, " must be a mapping"));
    return;
  }
  reader.WarnUnknown(node, where, {"path", "engine", "required", "variables", "files"});
  LoaderEntry entry;
  entry.engine = reader.Text(node, "engine", where + ".engine");
  if (entry.engine.empty()) entry.engine = config.engine;
  CheckMount(reader, node, "engine", where + ".engine", entry.engine);
  entry.path = reader.Text(node, "path", where + ".path");
  if (entry.path.empty()) {
    reader.Error(node["path"], node, absl::StrCat(where, ".path is missing"));
  } else if (const StatusOr<SecretPath> path = SecretPath::Parse(entry.path); !path.ok()) {
    reader.Error(node["path"], node, absl::StrCat(where, ".path: ", path.status().message()));
  }
  entry.required = reader.Bool(node, "required", where + ".required", true);
  entry.variables = ReadMappings(reader, node, "variables", where + ".variables", true);
  entry.files = ReadMappings(reader, node, "files", where + ".files", false);
  config.entries.push_back(std::move(entry));
}

void ReadTemplate(Reader& reader, const YamlNode& list, const YamlNode& node,
                  const std::string& where, LoaderConfig& config) {
  if (!node.is_map()) {
    reader.Error(node, list, absl::StrCat(where, " must be a mapping"));
    return;
  }
  reader.WarnUnknown(node, where, {"destination", "contents", "source", "mode"});
  LoaderTemplate one;
  one.destination = reader.Text(node, "destination", where + ".destination");
  if (one.destination.empty()) {
    reader.Error(node["destination"], node, absl::StrCat(where, ".destination is missing"));
  }
  one.contents = reader.Text(node, "contents", where + ".contents");
  one.source = reader.Text(node, "source", where + ".source");
  if (one.contents.empty() == one.source.empty()) {
    reader.Error(node, list,
                 absl::StrCat(where, " needs contents, or source (a file that holds them)"));
  }
  one.mode = ReadMode(reader, node, where + ".mode");
  config.templates.push_back(std::move(one));
}

}  // namespace

std::optional<EnvFormat> ParseEnvFormat(std::string_view name) {
  if (name == "sh") return EnvFormat::kShell;
  if (name == "export") return EnvFormat::kExport;
  if (name == "dotenv") return EnvFormat::kDotenv;
  if (name == "json") return EnvFormat::kJson;
  return std::nullopt;
}

StatusOr<LoaderConfig> ParseLoaderConfig(std::string_view text, std::string_view source_name,
                                         std::vector<std::string>* warnings) {
  VC_ASSIGN_OR_RETURN(const YamlNode root, ParseYaml(text, source_name));
  Reader reader(source_name, warnings);
  LoaderConfig config;
  if (!root.is_map()) {
    reader.Error(
        root, root,
        root.is_null() ? "the configuration is empty" : "the configuration must be a mapping");
    return reader.Result();
  }
  reader.WarnUnknown(
      root, "",
      {"provider", "vault", "serviceName", "secrets", "databases", "entries", "templates"});
  if (const std::string provider = reader.Text(root, "provider", "provider");
      !provider.empty() && provider != "vault") {
    reader.Error(root["provider"], root, "provider must be \"vault\"");
  }
  ReadVault(reader, root, config);
  ReadSecrets(reader, root, config);
  config.service = reader.Text(root, "serviceName", "serviceName");
  if (config.service.empty()) {
    if (config.env_enabled || config.files_enabled) {
      reader.Error(root["serviceName"], root, "serviceName is missing");
    }
  } else if (const StatusOr<SecretPath> path = SecretPath::Parse(config.service); !path.ok()) {
    reader.Error(root["serviceName"], root, absl::StrCat("serviceName: ", path.status().message()));
  }
  int index = 0;
  for (const YamlNode* item : reader.Items(root, "databases", "databases")) {
    ReadDatabase(reader, root["databases"], *item, absl::StrCat("databases[", index++, "]"),
                 config);
  }
  index = 0;
  for (const YamlNode* item : reader.Items(root, "entries", "entries")) {
    ReadEntry(reader, root["entries"], *item, absl::StrCat("entries[", index++, "]"), config);
  }
  index = 0;
  for (const YamlNode* item : reader.Items(root, "templates", "templates")) {
    ReadTemplate(reader, root["templates"], *item, absl::StrCat("templates[", index++, "]"),
                 config);
  }
  VC_RETURN_IF_ERROR(reader.Result());
  return config;
}

}  // namespace vaultcore
