// What Vault has to hold: the difference between a chart's two renderings. Pure.
//
// A service needs what its workloads take from Secrets with the loader off and no longer take from
// there with it on. It is named, and its entries are placed, by the loader configuration that the
// chart renders for it.

#ifndef APPS_GENERATOR_NEEDS_H_
#define APPS_GENERATOR_NEEDS_H_

#include <compare>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "generator/rendering.h"
#include "vaultcore/base/status.h"
#include "vaultcore/model/connection.h"
#include "vaultcore/model/layout.h"
#include "vaultcore/model/path.h"

namespace generator {

enum class EntryKind { kEnv, kFile, kDatabase };

// A key of an entry in Vault.
struct Place {
  vaultcore::SecretRef entry;
  std::string key;
  auto operator<=>(const Place&) const = default;
};

struct Need {
  Place place;
  EntryKind kind = EntryKind::kEnv;
  std::string service;  // the service; for a database, its type
  // Where its value is in Kubernetes: one, unless several workloads of a service take one name from
  // different Secrets, or the services of a database from different ones. None: nobody renders it.
  std::vector<Source> sources;
  bool optional = false;
  bool tls_material = false;  // of an external database: verified, and uploaded by hand
};

// What a workload goes on taking from Kubernetes.
struct Staying {
  std::string service;  // or the chart's name
  UseKind kind = UseKind::kEnv;
  std::string name;
  Source source;
  auto operator<=>(const Staying&) const = default;
};

// Credentials that Vault issues.
struct DynamicDatabase {
  std::string service;
  std::string type;
  std::string mount;  // "database"
  std::string role;
  std::string Path() const { return mount + "/creds/" + role; }
  auto operator<=>(const DynamicDatabase&) const = default;
};

struct Needs {
  std::vector<Need> needs;  // by place
  std::vector<Staying> staying;
  std::set<Source> taken_from_kubernetes;  // with the loader on, by anybody
  std::vector<DynamicDatabase> dynamic;
  // Secrets of which a service takes all keys, but which the chart does not render.
  struct Unknown {
    std::string service;
    vaultcore::SecretRef entry;
    Source source;
    bool optional = false;
  };
  std::vector<Unknown> unknown;
  std::vector<std::string> services;  // that have something to come from Vault
  bool knows_loader = true;           // false: no chart renders a loader, all uses are needs
  std::vector<std::string> notes;     // worth a word, no reason to stop
  std::vector<std::string> problems;  // left out: the run fails at its end
};

// Where a service's entries are unless its loader says otherwise, and the one Vault to write to.
struct Defaults {
  vaultcore::SecretLayout layout;
  vaultcore::Endpoint address;
};

// Errors: kUsage for names that cannot be paths in Vault.
vaultcore::StatusOr<Needs> FindNeeds(const Rendering& off, const Rendering& on,
                                     const Defaults& defaults);

// A key that the operator's values name below global.databases.<type>.ssl.
struct TlsKey {
  std::string database;  // "postgres"
  std::string key;       // "caFile"
};

// Adds them as needs of <layout>/<database>.
vaultcore::Status AddTlsKeys(const std::vector<TlsKey>& keys, const vaultcore::SecretLayout& layout,
                             Needs& needs);

}  // namespace generator

#endif  // APPS_GENERATOR_NEEDS_H_
