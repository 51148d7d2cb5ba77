// FetchPlan: what a configuration asks Vault for, each entry once. Pure.

#ifndef APPS_LOADER_PLAN_H_
#define APPS_LOADER_PLAN_H_

#include <cstddef>
#include <string>
#include <vector>

#include "loader/template.h"
#include "vaultcore/base/status.h"
#include "vaultcore/config/loader_config.h"
#include "vaultcore/model/path.h"

namespace loader {

// One item of the configuration that a KV entry answers.
struct KvItem {
  enum class Kind { kEnvironment, kFiles, kDatabase, kEntry };

  Kind kind = Kind::kEnvironment;
  size_t ref = 0;    // in FetchPlan::refs
  size_t index = 0;  // kDatabase, kEntry: in LoaderConfig::databases or entries
  bool required = false;
  std::string Label(
      const vaultcore::LoaderConfig& config) const;  // "environment", "database mongo"
};

// Credentials that Vault's database engine issues.
struct DynamicItem {
  size_t database = 0;  // in LoaderConfig::databases
  size_t role = 0;      // in FetchPlan::roles
};

struct DatabaseRole {
  vaultcore::Mount mount;
  std::string role;

  // "database/creds/harness-mongo-role"
  std::string Path() const { return mount.text() + "/creds/" + role; }
};

struct FetchPlan {
  std::vector<KvItem> items;               // in order of precedence: a later one wins
  std::vector<vaultcore::SecretRef> refs;  // distinct
  std::vector<DynamicItem> dynamic_items;  // after the KV items in precedence
  std::vector<DatabaseRole> roles;         // distinct
  std::vector<Template> templates;         // in the order of LoaderConfig::templates
  std::vector<std::string> api_paths;      // distinct: what the templates ask for
  std::vector<std::string> warnings;

  bool empty() const { return items.empty() && dynamic_items.empty() && templates.empty(); }
};

// The templates' contents must be there, also where the configuration names a source. Errors:
// kUsage, where a name in the configuration makes no path, or a template is wrong.
vaultcore::StatusOr<FetchPlan> MakeFetchPlan(const vaultcore::LoaderConfig& config);

}  // namespace loader

#endif  // APPS_LOADER_PLAN_H_
