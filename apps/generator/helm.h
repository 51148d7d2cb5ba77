// Real Helm, as a child process: finds it, and renders a chart with it.
//
// Helm gets the environment of this process without Vault's variables and without anything that is
// named like a secret. Its messages are shown only after scrubbing. Blocking.

#ifndef APPS_GENERATOR_HELM_H_
#define APPS_GENERATOR_HELM_H_

#include <functional>
#include <string>
#include <vector>

#include "common/process.h"
#include "generator/options.h"
#include "generator/scrub.h"
#include "generator/values.h"
#include "vaultcore/base/secret.h"
#include "vaultcore/base/status.h"

namespace generator {

// "v3.14.0+gabc", "v4.1.4" as {major, minor}. Errors: kUsage for text that is no version.
struct HelmVersion {
  int major = 0;
  int minor = 0;
};
vaultcore::StatusOr<HelmVersion> ParseHelmVersion(std::string_view text);

// What Helm's failure means: kUsage with the scrubbed end of its message, and a hint for those that
// have a remedy (missing dependencies, no such chart). Pure.
vaultcore::Status InterpretHelmFailure(std::string_view what, int exit_code,
                                       std::string_view standard_error, const Scrubber& scrubber);

// True for environment variables that Helm has no business with. `live`: it talks to the cluster,
// for which a cloud's credentials may be needed. Pure.
bool IsWithheldFromHelm(std::string_view variable, bool live);

// The rest of Helm's arguments after "helm template": release, chart and every option. Pure.
std::vector<std::string> TemplateArguments(const Options& options,
                                           const std::string& release_namespace,
                                           const std::vector<Switch>& switches);

class Helm {
 public:
  // Finds the program (--helm, HELM_BIN, PATH) and asks for its version, and for the chart's
  // default values at the same time. `run` bounds everything that this object does. Errors: kUsage
  // (no Helm, too old, no such chart), and those of apps::RunProcesses.
  static vaultcore::StatusOr<Helm> Start(const Options& options,
                                         const vaultcore::EnvironmentLookup& environment,
                                         const std::string& release_namespace,
                                         apps::RunOptions run);

  const std::string& version() const { return version_; }
  const vaultcore::Secret& chart_values() const { return chart_values_; }

  // Renders the chart once for each set of switches, all at the same time; results in input order.
  vaultcore::StatusOr<std::vector<vaultcore::Secret>> Render(
      const std::vector<std::vector<Switch>>& renderings, const Scrubber& scrubber) const;

  // What --set, --set-string and --set-file alone make: a YAML map. Helm itself parses them, with a
  // chart made for it.
  vaultcore::StatusOr<vaultcore::Secret> SetValues(const Scrubber& scrubber) const;

  // Called with the number of renderings that have ended, while Render waits.
  void set_on_tick(std::function<void(size_t)> on_tick) { run_.on_tick = std::move(on_tick); }

 private:
  Helm() = default;
  apps::ProcessSpec Command(std::vector<std::string> arguments) const;

  Options options_;
  apps::RunOptions run_;
  std::string program_;
  std::string version_;
  std::string release_namespace_;
  vaultcore::Secret chart_values_;
};

}  // namespace generator

#endif  // APPS_GENERATOR_HELM_H_
