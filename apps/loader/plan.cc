#include "loader/plan.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "vaultcore/model/layout.h"

namespace loader {
namespace {

using vaultcore::LoaderConfig;
using vaultcore::LoaderDatabase;
using vaultcore::LoaderEntry;
using vaultcore::LoaderTemplate;
using vaultcore::Mount;
using vaultcore::SecretLayout;
using vaultcore::SecretPath;
using vaultcore::SecretRef;
using vaultcore::StatusOr;

size_t AddRef(FetchPlan& plan, SecretRef ref) {
  const auto found = std::find(plan.refs.begin(), plan.refs.end(), ref);
  if (found != plan.refs.end()) return static_cast<size_t>(found - plan.refs.begin());
  plan.refs.push_back(std::move(ref));
  return plan.refs.size() - 1;
}

size_t AddRole(FetchPlan& plan, DatabaseRole role) {
  const auto found =
      std::find_if(plan.roles.begin(), plan.roles.end(),
                   [&role](const DatabaseRole& known) { return known.Path() == role.Path(); });
  if (found != plan.roles.end()) return static_cast<size_t>(found - plan.roles.begin());
  plan.roles.push_back(std::move(role));
  return plan.roles.size() - 1;
}

StatusOr<SecretRef> StaticRef(const LoaderConfig& config, const LoaderDatabase& database) {
  if (!database.static_path.empty()) {
    VC_ASSIGN_OR_RETURN(Mount mount, Mount::Parse(database.engine));
    VC_ASSIGN_OR_RETURN(SecretPath path, SecretPath::Parse(database.static_path));
    return SecretRef{std::move(mount), std::move(path)};
  }
  VC_ASSIGN_OR_RETURN(const SecretLayout layout,
                      SecretLayout::Create(database.engine, config.base_path));
  return layout.Database(database.type);
}

}  // namespace

std::string KvItem::Label(const LoaderConfig& config) const {
  switch (kind) {
    case Kind::kEnvironment:
      return "environment";
    case Kind::kFiles:
      return "files";
    case Kind::kEntry:
      return absl::StrCat("entry ", config.entries[index].path);
    case Kind::kDatabase:
      break;
  }
  return absl::StrCat("database ", config.databases[index].type);
}

StatusOr<FetchPlan> MakeFetchPlan(const LoaderConfig& config) {
  FetchPlan plan;
  VC_ASSIGN_OR_RETURN(const SecretLayout layout, config.Layout());
  if (config.env_enabled) {
    VC_ASSIGN_OR_RETURN(SecretRef ref, layout.EnvSecrets(config.service));
    plan.items.push_back({.kind = KvItem::Kind::kEnvironment,
                          .ref = AddRef(plan, std::move(ref)),
                          .required = config.env_required});
  }
  if (config.files_enabled) {
    VC_ASSIGN_OR_RETURN(SecretRef ref, layout.FileSecrets(config.service));
    plan.items.push_back({.kind = KvItem::Kind::kFiles,
                          .ref = AddRef(plan, std::move(ref)),
                          .required = config.files_required});
  }
  for (size_t i = 0; i < config.databases.size(); ++i) {
    const LoaderDatabase& database = config.databases[i];
    if (!database.dynamic) {
      VC_ASSIGN_OR_RETURN(SecretRef ref, StaticRef(config, database));
      plan.items.push_back({.kind = KvItem::Kind::kDatabase,
                            .ref = AddRef(plan, std::move(ref)),
                            .index = i,
                            .required = database.required});
      continue;
    }
    // Credentials without a receiver would only leave a lease behind.
    if (database.user_variables.empty() && database.password_variables.empty()) {
      plan.warnings.push_back(
          absl::StrCat("database ", database.type,
                       ": no credentials are issued, because userEnvSecrets and "
                       "passwordEnvSecrets name no variable"));
      continue;
    }
    VC_ASSIGN_OR_RETURN(Mount mount, Mount::Parse(database.engine));
    DatabaseRole role{std::move(mount), database.role};
    plan.dynamic_items.push_back({.database = i, .role = AddRole(plan, std::move(role))});
  }
  for (size_t i = 0; i < config.entries.size(); ++i) {
    const LoaderEntry& entry = config.entries[i];
    VC_ASSIGN_OR_RETURN(const SecretLayout below,
                        SecretLayout::Create(entry.engine, config.base_path));
    VC_ASSIGN_OR_RETURN(SecretRef ref, below.Database(entry.path));
    plan.items.push_back({.kind = KvItem::Kind::kEntry,
                          .ref = AddRef(plan, std::move(ref)),
                          .index = i,
                          .required = entry.required});
  }
  for (size_t i = 0; i < config.templates.size(); ++i) {
    const LoaderTemplate& from = config.templates[i];
    VC_ASSIGN_OR_RETURN(
        Template parsed,
        Template::Parse(from.contents,
                        from.source.empty() ? absl::StrCat("templates[", i, "]") : from.source));
    for (const std::string& path : parsed.paths()) {
      const auto& known = plan.api_paths;
      if (std::find(known.begin(), known.end(), path) == known.end()) {
        plan.api_paths.push_back(path);
      }
    }
    plan.templates.push_back(std::move(parsed));
  }
  return plan;
}

}  // namespace loader
