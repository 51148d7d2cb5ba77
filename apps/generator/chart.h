// Where renderings come from: Helm, or files that somebody else rendered. Reads the operator's
// values on the way. Blocking.

#ifndef APPS_GENERATOR_CHART_H_
#define APPS_GENERATOR_CHART_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/process.h"
#include "generator/console.h"
#include "generator/decision.h"
#include "generator/helm.h"
#include "generator/options.h"
#include "generator/rendering.h"
#include "generator/scrub.h"
#include "vaultcore/base/status.h"
#include "vaultcore/config/environment.h"
#include "vaultcore/config/yaml.h"

namespace generator {

struct Renderings {
  Rendering off;
  Rendering again;  // off once more; its Secrets only
  Rendering on;
};

class Chart {
 public:
  // `options` and `console` must outlive this object.
  Chart(const Options& options, Console& console) : options_(options), console_(console) {}

  // Reads the values, and starts Helm unless there are manifests. Errors: kUsage; those of Helm.
  vaultcore::Status Load(const vaultcore::EnvironmentLookup& environment, apps::RunOptions run);

  // The chart's values with the operator's over them.
  const vaultcore::YamlNode& values() const { return values_; }
  const OwnValues& own_values() const { return own_values_; }
  const std::string& release_namespace() const { return release_namespace_; }

  // Three renderings: off twice, to tell what the chart invents from what it holds constant, and
  // on.
  vaultcore::StatusOr<Renderings> Render();

 private:
  vaultcore::Status StartHelm(const vaultcore::EnvironmentLookup& environment,
                              apps::RunOptions run);
  void AddOwn(const vaultcore::YamlNode& values);
  vaultcore::StatusOr<std::vector<vaultcore::Secret>> RenderAll(
      const std::vector<std::vector<Switch>>& renderings);
  vaultcore::StatusOr<Rendering> Read(const vaultcore::Secret& text, std::string_view what,
                                      Extent extent = Extent::kAll) const;
  vaultcore::StatusOr<Renderings> RenderWithHelm();
  vaultcore::StatusOr<Renderings> ReadManifests();

  const Options& options_;
  Console& console_;
  Scrubber scrubber_;
  OwnValues own_values_;
  vaultcore::YamlNode values_;
  std::optional<Helm> helm_;
  std::string release_namespace_;
};

}  // namespace generator

#endif  // APPS_GENERATOR_CHART_H_
