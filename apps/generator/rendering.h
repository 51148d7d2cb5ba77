// What one rendering of a chart says about secrets: workloads and what they take, Secrets and what
// they hold, the loaders' configurations. Pure.

#ifndef APPS_GENERATOR_RENDERING_H_
#define APPS_GENERATOR_RENDERING_H_

#include <compare>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "generator/value.h"
#include "vaultcore/base/status.h"
#include "vaultcore/config/loader_config.h"

namespace generator {

// A Kubernetes object's name.
struct ObjectName {
  std::string name_space;  // never empty: the release's where the manifest names none
  std::string name;
  auto operator<=>(const ObjectName&) const = default;
};

// One key of one Secret: what a value is called in Kubernetes. An empty key means the whole Secret,
// when nobody knows its keys.
struct Source {
  ObjectName secret;
  std::string key;
  auto operator<=>(const Source&) const = default;

  // "accounts/jwt".
  std::string ToString() const { return secret.name + "/" + (key.empty() ? "*" : key); }
};

enum class UseKind { kEnv, kFile };

// One value that a workload takes from a Secret.
struct Use {
  std::string container;  // empty for files: volumes belong to the pod
  UseKind kind = UseKind::kEnv;
  std::string name;  // the variable, or the file as the application opens it; empty: the whole
                     // Secret, whose keys the rendering does not know
  Source source;
  bool optional = false;  // the workload starts without it
};

struct Workload {
  std::string kind;
  ObjectName name;
  std::vector<std::string> chart;  // from the umbrella inwards: "acme", "core", "accounts"
  std::string template_path;       // "acme/charts/core/templates/x.yaml"
  std::vector<Use> uses;
  std::set<ObjectName> config_maps;  // those it mounts or reads
};

struct SecretManifest {
  std::vector<std::string> chart;
  std::map<std::string, Value> data;  // decoded
};

struct LoaderManifest {
  ObjectName config_map;
  std::vector<std::string> chart;
  vaultcore::LoaderConfig config;
};

struct Rendering {
  std::vector<Workload> workloads;
  std::map<ObjectName, SecretManifest> secrets;
  std::vector<LoaderManifest> loaders;
  // What objects that are no workloads name: custom resources, Ingress certificates.
  std::set<Source> other_references;
  std::vector<std::string> warnings;

  // The value of a source; null when the rendering does not hold it.
  Value Find(const Source& source) const;
};

// How much of a rendering is read.
enum class Extent { kAll, kSecretsOnly };

// Reads `helm template`'s output. `what` names it in messages ("the rendering with the loader
// off"). Errors: kUsage with template, line and column; never a text of the manifests.
vaultcore::StatusOr<Rendering> ReadRendering(std::string_view manifests, std::string_view what,
                                             const std::string& release_namespace,
                                             Extent extent = Extent::kAll);

}  // namespace generator

#endif  // APPS_GENERATOR_RENDERING_H_
