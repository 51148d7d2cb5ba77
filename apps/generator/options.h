// What the command line said, as plain data.

#ifndef APPS_GENERATOR_OPTIONS_H_
#define APPS_GENERATOR_OPTIONS_H_

#include <string>
#include <vector>

#include "vaultcore/base/clock.h"

namespace generator {

inline constexpr char kProgram[] = "vaultSecretGenerator";

enum class Command { kGenerate, kPlan, kVerify };
enum class Format { kTable, kJson };

// One --set, --set-string or --set-file, in the order given: Helm lets later ones win.
struct SetFlag {
  std::string flag;  // "--set"
  std::string argument;
};

struct Options {
  Command command = Command::kGenerate;
  std::string release;
  std::string chart;
  std::vector<std::string> values_files;  // later files win
  std::vector<SetFlag> sets;
  std::string name_space;  // empty: HELM_NAMESPACE, else "default"
  std::string kube_version;
  std::vector<std::string> api_versions;
  std::vector<std::string> manifests;  // instead of Helm: with the loader off, once or twice
  std::string manifests_loader_on;
  bool live = false;         // Helm asks the cluster
  std::string kubeconfig;    // with live
  std::string kube_context;  // with live
  std::string helm;          // empty: HELM_BIN, else "helm" in PATH
  std::string input_json;    // empty: generate
  std::string output_json;   // empty: no backup
  Format format = Format::kTable;
  bool quiet = false;
  bool verbose = false;
  bool exit_code = false;  // plan: exit 4 when there is something to do
  vaultcore::Milliseconds timeout{15 * 60 * 1000};
};

}  // namespace generator

#endif  // APPS_GENERATOR_OPTIONS_H_
