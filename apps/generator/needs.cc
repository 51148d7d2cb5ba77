#include "generator/needs.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace generator {
namespace {

using vaultcore::LoaderConfig;
using vaultcore::LoaderDatabase;
using vaultcore::SecretLayout;
using vaultcore::SecretRef;
using vaultcore::Status;
using vaultcore::StatusOr;

// What makes two uses, one of each rendering, the same.
using UseKey = std::tuple<std::string, UseKind, std::string, Source>;
UseKey KeyOf(const Use& use) { return {use.container, use.kind, use.name, use.source}; }

// Finds a workload's other self in another rendering: by kind and name; those whose name differs in
// each rendering, by their place in their template.
class Counterparts {
 public:
  Counterparts(const Rendering& from, const Rendering& to) {
    std::map<std::pair<std::string, ObjectName>, const Workload*> by_name;
    for (const Workload& each : to.workloads) by_name[{each.kind, each.name}] = &each;
    using Template = std::tuple<std::string, std::string, std::string>;
    const auto template_of = [](const Workload& each) {
      return Template(each.kind, each.template_path, each.name.name_space);
    };
    std::map<Template, std::vector<const Workload*>> unmatched;
    std::set<const Workload*> matched;
    for (const Workload& each : from.workloads) {
      const auto found = by_name.find({each.kind, each.name});
      if (found == by_name.end()) {
        unmatched[template_of(each)].push_back(&each);
      } else {
        pairs_[&each] = found->second;
        matched.insert(found->second);
      }
    }
    std::map<Template, std::vector<const Workload*>> free;
    for (const Workload& each : to.workloads) {
      if (!matched.contains(&each)) free[template_of(each)].push_back(&each);
    }
    for (const auto& [key, workloads] : unmatched) {
      const std::vector<const Workload*>& candidates = free[key];
      for (size_t i = 0; i < std::min(workloads.size(), candidates.size()); ++i) {
        pairs_[workloads[i]] = candidates[i];
      }
    }
  }

  // Null: the other rendering has none.
  const Workload* Of(const Workload& workload) const {
    const auto found = pairs_.find(&workload);
    return found == pairs_.end() ? nullptr : found->second;
  }

 private:
  std::map<const Workload*, const Workload*> pairs_;
};

class Finder {
 public:
  Finder(const Rendering& off, const Rendering& on, const Defaults& defaults)
      : off_(off), on_(on), defaults_(defaults), to_on_(off, on) {
    for (const LoaderManifest& loader : on.loaders) {
      by_config_map_[loader.config_map] = &loader;
      by_chart_.try_emplace(loader.chart, &loader);
    }
  }

  StatusOr<Needs> Find() {
    result_.knows_loader = !on_.loaders.empty();
    FindStaying();
    for (const Workload& workload : off_.workloads) {
      VC_RETURN_IF_ERROR(AddWorkload(workload));
    }
    VC_RETURN_IF_ERROR(AddDatabases());
    for (auto& [place, need] : needs_) result_.needs.push_back(std::move(need));
    std::set<std::string> services;
    for (const Need& need : result_.needs) {
      if (need.kind != EntryKind::kDatabase) services.insert(need.service);
    }
    for (const auto& unknown : result_.unknown) services.insert(unknown.service);
    result_.services.assign(services.begin(), services.end());
    return std::move(result_);
  }

 private:
  // The loader that serves a workload of the rendering with the loader on; null when none does.
  const LoaderManifest* LoaderOf(const Workload& workload) const {
    for (const ObjectName& name : workload.config_maps) {
      const auto found = by_config_map_.find(name);
      if (found != by_config_map_.end()) return found->second;
    }
    const auto of_chart = by_chart_.find(workload.chart);
    return of_chart == by_chart_.end() ? nullptr : of_chart->second;
  }

  std::string ServiceOf(const Workload& workload, const LoaderManifest* loader) const {
    if (loader != nullptr && !loader->config.service.empty()) return loader->config.service;
    return workload.chart.empty() ? workload.name.name : workload.chart.back();
  }

  void FindStaying() {
    std::set<Staying> staying;
    if (result_.knows_loader) {
      for (const Workload& workload : on_.workloads) {
        const std::string service = ServiceOf(workload, LoaderOf(workload));
        for (const Use& use : workload.uses) {
          staying.insert({service, use.kind, use.name, use.source});
          result_.taken_from_kubernetes.insert(use.source);
        }
      }
      for (const Source& source : on_.other_references) {
        result_.taken_from_kubernetes.insert(source);
      }
    }
    result_.staying.assign(staying.begin(), staying.end());
  }

  Status AddWorkload(const Workload& workload) {
    const Workload* with_loader = to_on_.Of(workload);
    std::set<UseKey> stays;
    if (with_loader != nullptr && result_.knows_loader) {
      for (const Use& use : with_loader->uses) stays.insert(KeyOf(use));
    }
    const LoaderManifest* loader = LoaderOf(with_loader != nullptr ? *with_loader : workload);
    const std::string service = ServiceOf(workload, loader);
    for (const Use& use : workload.uses) {
      if (stays.contains(KeyOf(use))) continue;
      VC_RETURN_IF_ERROR(AddUse(service, loader, use));
    }
    return absl::OkStatus();
  }

  StatusOr<SecretLayout> LayoutOf(const LoaderManifest* loader) const {
    if (loader == nullptr) return defaults_.layout;
    return loader->config.Layout();
  }

  // False, with a problem noted once, for a service whose loader reads from another Vault.
  bool IsOurVault(const std::string& service, const LoaderManifest* loader) {
    if (loader == nullptr || !loader->config.address.has_value() ||
        *loader->config.address == defaults_.address) {
      return true;
    }
    if (elsewhere_.insert(service).second) {
      result_.problems.push_back(service + ": its loader reads from another Vault, " +
                                 loader->config.address->ToString() + "; nothing is written there");
    }
    return false;
  }

  Status AddUse(const std::string& service, const LoaderManifest* loader, const Use& use) {
    if (!IsOurVault(service, loader)) return absl::OkStatus();
    if (use.kind == UseKind::kEnv && loader != nullptr && AddDatabaseUse(loader->config, use)) {
      return absl::OkStatus();
    }
    VC_ASSIGN_OR_RETURN(const SecretLayout layout, LayoutOf(loader));
    const bool is_file = use.kind == UseKind::kFile;
    StatusOr<SecretRef> entry = is_file ? layout.FileSecrets(service) : layout.EnvSecrets(service);
    VC_RETURN_IF_ERROR(entry.status());
    if (use.name.empty()) {
      result_.unknown.push_back({service, *entry, use.source, use.optional});
      return absl::OkStatus();
    }
    NoteDisabled(service, loader, is_file);
    const EntryKind kind = is_file ? EntryKind::kFile : EntryKind::kEnv;
    Merge({{*entry, use.name}, kind, service, {use.source}, use.optional, false});
    return absl::OkStatus();
  }

  void NoteDisabled(const std::string& service, const LoaderManifest* loader, bool is_file) {
    if (loader == nullptr) return;
    const bool enabled = is_file ? loader->config.files_enabled : loader->config.env_enabled;
    if (enabled || !disabled_.insert({service, is_file}).second) return;
    result_.notes.push_back(service + ": needs " + (is_file ? "files" : "variables") +
                            " from Vault, but its loader's configuration switches " +
                            (is_file ? "fileSecrets" : "envSecrets") + " off");
  }

  void Merge(Need need) {
    const auto [at, inserted] = needs_.try_emplace(need.place, need);
    if (inserted) return;
    Need& known = at->second;
    known.optional = known.optional && need.optional;
    for (Source& source : need.sources) {
      if (std::find(known.sources.begin(), known.sources.end(), source) == known.sources.end()) {
        known.sources.push_back(std::move(source));
      }
    }
  }

  // True when a database of the loader's configuration serves this variable.
  bool AddDatabaseUse(const LoaderConfig& config, const Use& use) {
    for (const LoaderDatabase& database : config.databases) {
      for (const bool is_user : {true, false}) {
        const auto& variables = is_user ? database.user_variables : database.password_variables;
        if (std::find(variables.begin(), variables.end(), use.name) == variables.end()) continue;
        if (!database.dynamic) database_sources_[{&database, is_user}].push_back(use.source);
        return true;
      }
    }
    return false;
  }

  StatusOr<SecretRef> StaticEntry(const LoaderConfig& config, const LoaderDatabase& database) {
    if (!database.static_path.empty()) {
      VC_ASSIGN_OR_RETURN(vaultcore::Mount mount, vaultcore::Mount::Parse(database.engine));
      VC_ASSIGN_OR_RETURN(vaultcore::SecretPath path,
                          vaultcore::SecretPath::Parse(database.static_path));
      return SecretRef{std::move(mount), std::move(path)};
    }
    VC_ASSIGN_OR_RETURN(const SecretLayout layout,
                        SecretLayout::Create(database.engine, config.base_path));
    return layout.Database(database.type);
  }

  Status AddDatabases() {
    std::set<DynamicDatabase> dynamic;
    for (const LoaderManifest& loader : on_.loaders) {
      const LoaderConfig& config = loader.config;
      if (!config.databases.empty() && !IsOurVault(config.service, &loader)) continue;
      for (const LoaderDatabase& database : config.databases) {
        if (database.dynamic) {
          dynamic.insert({config.service, database.type, database.engine, database.role});
          continue;
        }
        VC_ASSIGN_OR_RETURN(const SecretRef entry, StaticEntry(config, database));
        for (const bool is_user : {true, false}) {
          if ((is_user ? database.user_variables : database.password_variables).empty()) continue;
          Need need{{entry, is_user ? "username" : "password"},
                    EntryKind::kDatabase,
                    database.type,
                    database_sources_[{&database, is_user}],
                    false,
                    false};
          std::sort(need.sources.begin(), need.sources.end());
          need.sources.erase(std::unique(need.sources.begin(), need.sources.end()),
                             need.sources.end());
          Merge(std::move(need));
        }
      }
    }
    result_.dynamic.assign(dynamic.begin(), dynamic.end());
    return absl::OkStatus();
  }

  const Rendering& off_;
  const Rendering& on_;
  const Defaults& defaults_;
  const Counterparts to_on_;
  std::map<ObjectName, const LoaderManifest*> by_config_map_;
  std::map<std::vector<std::string>, const LoaderManifest*> by_chart_;
  std::map<Place, Need> needs_;
  std::map<std::pair<const LoaderDatabase*, bool>, std::vector<Source>> database_sources_;
  std::set<std::string> elsewhere_;
  std::set<std::pair<std::string, bool>> disabled_;
  Needs result_;
};

}  // namespace

Status AddTlsKeys(const std::vector<TlsKey>& keys, const SecretLayout& layout, Needs& needs) {
  for (const TlsKey& each : keys) {
    VC_ASSIGN_OR_RETURN(SecretRef entry, layout.Database(each.database));
    Need need{{std::move(entry), each.key}, EntryKind::kDatabase, each.database, {}, false, true};
    const auto at =
        std::lower_bound(needs.needs.begin(), needs.needs.end(), need,
                         [](const Need& a, const Need& b) { return a.place < b.place; });
    if (at != needs.needs.end() && at->place == need.place) continue;
    needs.needs.insert(at, std::move(need));
  }
  return absl::OkStatus();
}

StatusOr<Needs> FindNeeds(const Rendering& off, const Rendering& on, const Defaults& defaults) {
  return Finder(off, on, defaults).Find();
}

}  // namespace generator
