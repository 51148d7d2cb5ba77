#include "generator/backup.h"

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "vaultcore/api/json.h"

namespace generator {
namespace {

using vaultcore::ErrorKind;
using vaultcore::Json;
using vaultcore::KvEntry;
using vaultcore::KvWrite;
using vaultcore::MakeError;
using vaultcore::Mount;
using vaultcore::SecretPath;
using vaultcore::SecretRef;
using vaultcore::Status;
using vaultcore::StatusOr;

constexpr std::string_view kFormat = "vaultcore-backup/1";

std::string Joined(std::string_view engine, std::string_view base_path) {
  std::string text(engine);
  if (!base_path.empty()) text += "/" + std::string(base_path);
  return text;
}

std::string Trimmed(std::string_view text) {
  while (text.starts_with('/')) text.remove_prefix(1);
  while (text.ends_with('/')) text.remove_suffix(1);
  return std::string(text);
}

// What follows `folder` + "/" in `path`; nullopt when it is not below.
std::optional<std::string_view> Below(std::string_view path, std::string_view folder) {
  if (folder.empty()) return path;
  if (!path.starts_with(folder) || path.size() <= folder.size() || path[folder.size()] != '/') {
    return std::nullopt;
  }
  return path.substr(folder.size() + 1);
}

class Reader {
 public:
  Reader(std::string_view source_name, const BackupTarget& target)
      : source_name_(source_name),
        engine_(Trimmed(target.engine)),
        base_path_(Trimmed(target.base_path)) {}

  StatusOr<std::vector<KvWrite>> Read(const Json& file) {
    if (!file.is_object()) return Error("is no JSON object");
    const bool versioned = file["format"].is_string() && file["entries"].is_object();
    if (versioned && file["format"].AsText() != kFormat) {
      return Error("has a format that is not known here",
                   "this version reads " + std::string(kFormat));
    }
    std::string from;
    if (versioned && file["engine"].is_string()) {
      from = Joined(Trimmed(file["engine"].AsText()), Trimmed(file["basePath"].AsText()));
    }
    std::vector<KvWrite> writes;
    std::set<SecretRef> seen;
    for (const Json::Member& member : (versioned ? file["entries"] : file).members()) {
      VC_ASSIGN_OR_RETURN(SecretRef ref, Place(member.first, from));
      if (!seen.insert(ref).second) {
        return Error("entry " + ref.ToString() + " stands there twice");
      }
      if (!member.second.is_object()) {
        return Error("entry " + vaultcore::Printable(member.first, 200) +
                     " is no object of keys and values");
      }
      KvWrite write{std::move(ref), {}, std::nullopt};
      for (const Json::Member& value : member.second.members()) {
        if (value.second.is_object() || value.second.is_array() || value.second.is_null()) {
          return Error("entry " + vaultcore::Printable(member.first, 200) + ", key " +
                       vaultcore::Printable(value.first, 100) + " is not a text");
        }
        write.data[value.first] = value.second.Clone();
      }
      writes.push_back(std::move(write));
    }
    return writes;
  }

 private:
  Status Error(std::string_view problem, std::string_view hint = {}) const {
    return MakeError(ErrorKind::kUsage, std::string(source_name_) + ": " + std::string(problem),
                     hint);
  }

  StatusOr<SecretRef> Place(std::string_view written, std::string_view from) const {
    const std::string path = Trimmed(written);
    const std::string here = Joined(engine_, base_path_);
    std::optional<std::string_view> relative;
    if (!from.empty()) relative = Below(path, from);
    if (!relative.has_value()) relative = Below(path, here);
    if (!relative.has_value()) relative = Below(path, base_path_);
    if (!relative.has_value()) {
      return Error("entry " + vaultcore::Printable(path, 200) + " is outside of " + here,
                   "entries have to stand below the engine and base path that the values name");
    }
    VC_ASSIGN_OR_RETURN(Mount mount, Mount::Parse(engine_));
    VC_ASSIGN_OR_RETURN(SecretPath entry, SecretPath::Parse(Joined(base_path_, *relative)));
    return SecretRef{std::move(mount), std::move(entry)};
  }

  const std::string_view source_name_;
  const std::string engine_;
  const std::string base_path_;
};

}  // namespace

vaultcore::Secret FormatBackup(const BackupTarget& target, const Existing& existing,
                               const Plan& plan) {
  std::map<SecretRef, const vaultcore::KvData*> entries;
  for (const auto& [ref, entry] : existing) {
    if (entry.present()) entries[ref] = &entry.data;
  }
  for (const Write& write : plan.writes) entries[write.ref] = &write.data;
  Json file = Json::Object();
  file.Set("format", Json::String(kFormat));
  file.Set("engine", Json::String(std::string_view(target.engine)));
  file.Set("basePath", Json::String(std::string_view(target.base_path)));
  Json list = Json::Object();
  for (const auto& [ref, data] : entries) {
    Json values = Json::Object();
    for (const auto& [key, value] : *data) values.Set(key, value.Clone());
    list.Set(ref.ToString(), std::move(values));
  }
  file.Set("entries", std::move(list));
  return file.DumpPretty();
}

StatusOr<std::vector<KvWrite>> ParseBackup(std::string_view text, std::string_view source_name,
                                           const BackupTarget& target) {
  StatusOr<Json> file = Json::Parse(text);
  if (!file.ok()) {
    return MakeError(ErrorKind::kUsage, std::string(source_name) + ": " +
                                            std::string(vaultcore::MessageOf(file.status())));
  }
  return Reader(source_name, target).Read(*file);
}

Restore MakeRestore(std::vector<KvWrite> wanted) {
  Restore restore;
  for (const KvWrite& write : wanted) {
    const std::string& path = write.ref.path.text();
    const size_t last = path.rfind('/');
    const std::string_view folder =
        std::string_view(path).substr(0, last == std::string::npos ? path.size() : last);
    const std::string_view name =
        std::string_view(path).substr(last == std::string::npos ? 0 : last + 1);
    const EntryKind kind = name == "env-secrets"    ? EntryKind::kEnv
                           : name == "file-secrets" ? EntryKind::kFile
                                                    : EntryKind::kDatabase;
    const std::string_view service =
        kind == EntryKind::kDatabase ? name : folder.substr(folder.rfind('/') + 1);
    for (const auto& [key, value] : write.data) {
      Need need{{write.ref, key}, kind, std::string(service), {}, false, false};
      restore.needs.needs.push_back(std::move(need));
      Decision decision;
      decision.cls = Class::kConstant;
      decision.from_values = true;
      decision.group = restore.decisions.by_need.size();
      restore.decisions.by_need.push_back(std::move(decision));
    }
  }
  restore.wanted = std::move(wanted);
  return restore;
}

Plan Restore::MakePlan(const Existing& existing) const {
  Plan plan;
  size_t need = 0;
  for (const KvWrite& write : wanted) {
    const KvEntry& entry = existing.at(write.ref);
    const bool blocked =
        entry.state == KvEntry::State::kDeleted || entry.state == KvEntry::State::kDestroyed;
    Write result{write.ref,       {}, vaultcore::CloneKvData(entry.data), entry.version,
                 entry.present(), 0};
    for (const auto& [key, value] : write.data) {
      Row row{need, RowState::kPresent, std::nullopt, {}};
      const auto there = entry.data.find(key);
      if (there != entry.data.end()) {
        if (!(vaultcore::KvText(there->second) == vaultcore::KvText(value))) {
          row.state = RowState::kConflict;
          row.problem = "Vault holds another value, which stays";
        }
      } else if (blocked) {
        row.state = RowState::kBlocked;
        row.problem = "was deleted in Vault and is not revived";
      } else {
        row.state = RowState::kToWrite;
        result.rows.push_back(need);
        result.data[key] = value.Clone();
      }
      plan.rows.push_back(std::move(row));
      ++need;
    }
    if (!result.rows.empty()) plan.writes.push_back(std::move(result));
  }
  return plan;
}

}  // namespace generator
