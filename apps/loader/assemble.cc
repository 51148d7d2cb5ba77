#include "loader/assemble.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "loader/binary.h"
#include "vaultcore/base/encoding.h"
#include "vaultcore/model/layout.h"

namespace loader {
namespace {

using vaultcore::DatabaseCredentials;
using vaultcore::EnvFormat;
using vaultcore::ErrorKind;
using vaultcore::FileEncoding;
using vaultcore::KvEntry;
using vaultcore::KvText;
using vaultcore::LoaderConfig;
using vaultcore::LoaderDatabase;
using vaultcore::LoaderEntry;
using vaultcore::MakeError;
using vaultcore::Printable;
using vaultcore::Secret;
using vaultcore::Status;
using vaultcore::StatusOr;

// The longest NAME=value that Linux passes to a program, its end included.
constexpr size_t kMaxEnvironmentEntry = 128 << 10;
constexpr size_t kMaxFileNamePart = 255;
constexpr size_t kMaxShownKey = 80;

std::string Quoted(std::string_view key) {
  return absl::StrCat("\"", Printable(key, kMaxShownKey), "\"");
}

// How an absent entry is told: "no entry secret/a/b", or what became of it.
std::string Absence(const FetchPlan& plan, const KvItem& item, const KvEntry& entry) {
  const std::string path = plan.refs[item.ref].ToString();
  switch (entry.state) {
    case KvEntry::State::kDeleted:
      return absl::StrCat(path, " was deleted (version ", entry.version, ")");
    case KvEntry::State::kDestroyed:
      return absl::StrCat(path, " was destroyed (version ", entry.version, ")");
    case KvEntry::State::kAbsent:
    case KvEntry::State::kPresent:
      break;
  }
  return absl::StrCat("there is no entry ", path);
}

std::string MissingHint(const LoaderConfig& config, const FetchPlan& plan, const KvItem& item,
                        const KvEntry& entry) {
  const std::string path = plan.refs[item.ref].ToString();
  if (entry.state == KvEntry::State::kDeleted) {
    return absl::StrCat("bring it back with: vault kv undelete -versions=", entry.version, " ",
                        path);
  }
  if (item.kind == KvItem::Kind::kDatabase) {
    return absl::StrCat("add it with: vault kv put ", path,
                        " username=... password=..., or correct databases[", item.index,
                        "] of the configuration");
  }
  if (item.kind == KvItem::Kind::kEntry) {
    return absl::StrCat("add it with: vault kv put ", path, " KEY=..., or correct entries[",
                        item.index, "] of the configuration");
  }
  return absl::StrCat(
      "create it with: vaultSecretGenerator generate RELEASE CHART -f VALUES, or check that "
      "serviceName \"",
      Printable(config.service, kMaxShownKey), "\", vault.engine and vault.basePath are right");
}

// "TIMESCALE_DB_TRUSTSTORE_PASSWORD" for "timescale-db".
std::string TrustStorePasswordVariable(std::string_view type) {
  std::string name = absl::AsciiStrToUpper(vaultcore::ToAbsl(type));
  for (char& c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  if (name.empty() || absl::ascii_isdigit(static_cast<unsigned char>(name[0]))) {
    name.insert(name.begin(), '_');
  }
  return name + "_TRUSTSTORE_PASSWORD";
}

class Assembler {
 public:
  explicit Assembler(const LoaderConfig& config) : config_(config) {}

  // A key of an env-secrets entry.
  Status AddEnvironmentKey(const std::string& key, Secret value, const std::string& source) {
    if (vaultcore::IsFileKey(key)) return AddFile(key, std::move(value), source);
    if (!vaultcore::IsEnvironmentName(key)) {
      Warn(absl::StrCat(source, ": key ", Quoted(key),
                        " is left out: it cannot be the name of a variable"));
      return absl::OkStatus();
    }
    if (const char* why = ReservedBecause(key); why != nullptr) {
      Warn(absl::StrCat(source, ": variable ", key, " is left out: ", why));
      return absl::OkStatus();
    }
    return AddVariable(key, std::move(value), source);
  }

  Status AddVariable(const std::string& name, Secret value, const std::string& source) {
    if (value.Reveal().find('\0') != std::string_view::npos) {
      return MakeError(ErrorKind::kRejected,
                       absl::StrCat(source, ": the value for variable ", name,
                                    " holds a NUL byte, which no environment variable can"),
                       "store binary data in file-secrets, or under a key that ends in .key, .jks "
                       "or another file extension");
    }
    auto [at, is_new] = out_.variables.try_emplace(name);
    if (!is_new && !(at->second.value == value)) {
      Warn(absl::StrCat("variable ", name, " is in ", at->second.source,
                        " and, with another value, ", "in ", source, ": the latter is used"));
    }
    at->second = {std::move(value), source};
    return absl::OkStatus();
  }

  Status AddFile(const std::string& name, Secret content, const std::string& source) {
    if (!config_.files_enabled) {
      Warn(absl::StrCat(source, ": key ", Quoted(name),
                        " is left out: it is a file, and secrets.fileSecrets is off"));
      return absl::OkStatus();
    }
    return AddNamedFile(name, std::move(content), source);
  }

  // A file that the configuration names, or that file secrets being on allows.
  Status AddNamedFile(const std::string& name, Secret content, const std::string& source) {
    if (!IsSafeFileName(name)) {
      return MakeError(ErrorKind::kRejected,
                       absl::StrCat(source, ": key ", Quoted(name), " is refused as a file name"),
                       "a file's key must be a path below the files folder, without \"..\", "
                       "control characters or a leading slash");
    }
    VC_ASSIGN_OR_RETURN(content, Decode(name, std::move(content), source));
    auto [at, is_new] = out_.files.try_emplace(name);
    if (!is_new && !(at->second.content == content)) {
      Warn(absl::StrCat("file ", Quoted(name), " is in ", at->second.source,
                        " and, with other content, in ", source, ": the latter is used"));
    }
    at->second = {std::move(content), source};
    return absl::OkStatus();
  }

  Status AddStaticDatabase(const LoaderDatabase& database, const KvEntry& entry,
                           const std::string& source) {
    VC_RETURN_IF_ERROR(AddFromKey(database, entry, "username", database.user_variables, source));
    VC_RETURN_IF_ERROR(
        AddFromKey(database, entry, "password", database.password_variables, source));
    for (const auto& [key, value] : entry.data) {
      if (!vaultcore::IsFileKey(key)) continue;
      VC_RETURN_IF_ERROR(AddFile(key, KvText(value), source));
    }
    return AddTlsMaterial(database, entry, source);
  }

  Status AddEntry(const LoaderEntry& mapped, const KvEntry& entry, const std::string& source) {
    for (const auto& [name, key] : mapped.variables) {
      const auto found = entry.data.find(key);
      VC_RETURN_IF_ERROR(found != entry.data.end()
                             ? AddVariable(name, KvText(found->second), source)
                             : MissingKey(mapped.required, key, {name}, source));
    }
    for (const auto& [name, key] : mapped.files) {
      const auto found = entry.data.find(key);
      VC_RETURN_IF_ERROR(found != entry.data.end()
                             ? AddNamedFile(name, KvText(found->second), source)
                             : MissingKey(mapped.required, key, {}, source));
    }
    return absl::OkStatus();
  }

  Status AddDynamicDatabase(const LoaderDatabase& database, const DatabaseCredentials& credentials,
                            const std::string& source) {
    for (const std::string& name : database.user_variables) {
      VC_RETURN_IF_ERROR(AddVariable(name, credentials.username.Clone(), source));
    }
    for (const std::string& name : database.password_variables) {
      VC_RETURN_IF_ERROR(AddVariable(name, credentials.password.Clone(), source));
    }
    return absl::OkStatus();
  }

  // `names` lack their value because of `why`. Another source may serve them: many a cache has a
  // password and no user, and an env-secrets entry may hold what a database's would.
  void ExpectElsewhere(std::string why, const std::vector<std::string>& names) {
    unserved_.push_back({std::move(why), names});
  }

  // Checks that concern all variables or files together; then the result.
  StatusOr<Assembled> Finish() {
    for (const Unserved& unserved : unserved_) {
      std::vector<std::string> unset;
      std::copy_if(unserved.names.begin(), unserved.names.end(), std::back_inserter(unset),
                   [this](const std::string& name) { return !out_.variables.contains(name); });
      if (!unset.empty()) {
        Warn(absl::StrCat(unserved.why, ": not set: ", absl::StrJoin(unset, ", ")));
      }
    }
    for (auto at = out_.files.begin(); at != out_.files.end(); ++at) {
      const auto inside = out_.files.lower_bound(at->first + "/");
      if (inside != out_.files.end() && inside->first.starts_with(at->first + "/")) {
        return MakeError(ErrorKind::kRejected,
                         absl::StrCat("file ", Quoted(at->first), " of ", at->second.source,
                                      " cannot be the folder of ", Quoted(inside->first), " of ",
                                      inside->second.source, " at the same time"),
                         "rename one of the two keys");
      }
    }
    const bool is_sourced =
        config_.env_format == EnvFormat::kShell || config_.env_format == EnvFormat::kExport;
    const bool warn_of_expansion = is_sourced && !config_.env_expansion_safe;
    std::map<std::string, std::string> by_lower_case;
    for (const auto& [name, variable] : out_.variables) {
      const std::string_view value = variable.value.Reveal();
      if (warn_of_expansion && IsChangedByExpansion(value)) {
        Warn(absl::StrCat("variable ", name, " of ", variable.source,
                          " holds \"${\": a chart's start command may expand it, unless "
                          "secrets.envSecrets.expansionSafe is auto"));
      }
      if (name.size() + 1 + value.size() + 1 > kMaxEnvironmentEntry) {
        Warn(absl::StrCat("variable ", name, " of ", variable.source, " is longer than ",
                          kMaxEnvironmentEntry - 1,
                          " bytes: Linux starts no program with it; store it as a file"));
      }
      const auto [other, is_new] = by_lower_case.emplace(absl::AsciiStrToLower(name), name);
      if (!is_new) {
        Warn(absl::StrCat("variables ", other->second, " and ", name,
                          " differ only in upper and lower case"));
      }
    }
    return std::move(out_);
  }

 private:
  Status AddFromKey(const LoaderDatabase& database, const KvEntry& entry, std::string_view key,
                    const std::vector<std::string>& names, const std::string& source) {
    if (names.empty()) return absl::OkStatus();
    const auto found = entry.data.find(key);
    if (found == entry.data.end()) return MissingKey(database.required, key, names, source);
    for (const std::string& name : names) {
      VC_RETURN_IF_ERROR(AddVariable(name, KvText(found->second), source));
    }
    return absl::OkStatus();
  }

  // Keys without a file's extension get a name that tells whose they are.
  Status AddTlsMaterial(const LoaderDatabase& database, const KvEntry& entry,
                        const std::string& source) {
    for (const auto& [key, suffix] :
         {std::pair<const std::string&, const char*>{database.ca_file_key, "-ca.pem"},
          {database.trust_store_key, "-truststore.jks"}}) {
      const auto found = entry.data.find(key);
      if (found == entry.data.end() || vaultcore::IsFileKey(key)) continue;
      VC_RETURN_IF_ERROR(
          AddFile(absl::StrCat(database.type, suffix), KvText(found->second), source));
    }
    const auto password = entry.data.find(database.trust_store_password_key);
    if (password == entry.data.end()) return absl::OkStatus();
    return AddVariable(TrustStorePasswordVariable(database.type), KvText(password->second), source);
  }

  StatusOr<Secret> Decode(const std::string& name, Secret content, const std::string& source) {
    switch (config_.file_encoding) {
      case FileEncoding::kRaw:
        return content;
      case FileEncoding::kAuto: {
        std::optional<Secret> bytes = DecodeKnownBinary(content.Reveal());
        if (bytes) return *std::move(bytes);
        return content;
      }
      case FileEncoding::kBase64:
        break;
    }
    std::optional<Secret> bytes = vaultcore::Base64Decode(content.Reveal(), true);
    if (bytes) return *std::move(bytes);
    return MakeError(ErrorKind::kRejected,
                     absl::StrCat(source, ": key ", Quoted(name), " is not base64"),
                     "secrets.fileSecrets.encoding says that every file is: store it so, or set "
                     "the encoding to auto");
  }

  Status MissingKey(bool required, std::string_view key, const std::vector<std::string>& names,
                    const std::string& source) {
    const std::string what = absl::StrCat(source, " has no key ", Quoted(key));
    if (required) {
      return MakeError(ErrorKind::kNotFound, what,
                       absl::StrCat("add it with: vault kv patch ", source, " ",
                                    Printable(key, kMaxShownKey), "=-"));
    }
    if (names.empty()) {
      Warn(what);
    } else {
      ExpectElsewhere(what, names);
    }
    return absl::OkStatus();
  }

  struct Unserved {
    std::string why;
    std::vector<std::string> names;
  };

  void Warn(std::string message) { out_.warnings.push_back(std::move(message)); }

  const LoaderConfig& config_;
  Assembled out_;
  std::vector<Unserved> unserved_;
};

}  // namespace

StatusOr<std::vector<std::string>> CheckPresence(const LoaderConfig& config, const FetchPlan& plan,
                                                 const std::vector<KvEntry>& answers) {
  std::vector<std::string> missing;
  bool any_present = !plan.dynamic_items.empty() || !plan.api_paths.empty();
  for (const KvItem& item : plan.items) {
    const KvEntry& entry = answers[item.ref];
    if (entry.present()) {
      any_present = true;
      continue;
    }
    std::string absence = Absence(plan, item, entry);
    if (item.required) {
      return MakeError(ErrorKind::kNotFound, absence, MissingHint(config, plan, item, entry));
    }
    if (std::find(missing.begin(), missing.end(), absence) == missing.end()) {
      missing.push_back(std::move(absence));
    }
  }
  if (!plan.items.empty() && !any_present) {
    const KvItem& first = plan.items.front();
    return MakeError(ErrorKind::kNotFound,
                     absl::StrCat("nothing found: ", absl::StrJoin(missing, "; ")),
                     MissingHint(config, plan, first, answers[first.ref]));
  }
  return missing;
}

StatusOr<Assembled> Assemble(const LoaderConfig& config, const FetchPlan& plan,
                             const std::vector<KvEntry>& answers,
                             const std::vector<DatabaseCredentials>& credentials) {
  Assembler assembler(config);
  for (const KvItem& item : plan.items) {
    const KvEntry& entry = answers[item.ref];
    const std::string source = plan.refs[item.ref].ToString();
    if (!entry.present()) {
      if (item.kind == KvItem::Kind::kDatabase) {
        const LoaderDatabase& database = config.databases[item.index];
        const std::string why = absl::StrCat("database ", database.type, " has no credentials");
        assembler.ExpectElsewhere(why, database.user_variables);
        assembler.ExpectElsewhere(why, database.password_variables);
      }
      if (item.kind == KvItem::Kind::kEntry) {
        std::vector<std::string> names;
        for (const auto& mapping : config.entries[item.index].variables) {
          names.push_back(mapping.name);
        }
        assembler.ExpectElsewhere(Absence(plan, item, entry), names);
      }
      continue;
    }
    if (item.kind == KvItem::Kind::kEntry) {
      VC_RETURN_IF_ERROR(assembler.AddEntry(config.entries[item.index], entry, source));
      continue;
    }
    if (item.kind == KvItem::Kind::kDatabase) {
      VC_RETURN_IF_ERROR(assembler.AddStaticDatabase(config.databases[item.index], entry, source));
      continue;
    }
    for (const auto& [key, value] : entry.data) {
      VC_RETURN_IF_ERROR(item.kind == KvItem::Kind::kEnvironment
                             ? assembler.AddEnvironmentKey(key, KvText(value), source)
                             : assembler.AddFile(key, KvText(value), source));
    }
  }
  for (const DynamicItem& item : plan.dynamic_items) {
    VC_RETURN_IF_ERROR(assembler.AddDynamicDatabase(
        config.databases[item.database], credentials[item.role], plan.roles[item.role].Path()));
  }
  return assembler.Finish();
}

bool IsSafeFileName(std::string_view name) {
  if (name.empty()) return false;
  if (std::any_of(name.begin(), name.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7f;
      })) {
    return false;
  }
  for (size_t start = 0; start <= name.size();) {
    const size_t slash = std::min(name.find('/', start), name.size());
    const std::string_view part = name.substr(start, slash - start);
    if (part.empty() || part == "." || part == ".." || part.size() > kMaxFileNamePart) return false;
    start = slash + 1;
  }
  return true;
}

}  // namespace loader
