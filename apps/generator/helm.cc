#include "generator/helm.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "vaultcore/base/file.h"

namespace generator {
namespace {

using vaultcore::ErrorKind;
using vaultcore::MakeError;
using vaultcore::Secret;
using vaultcore::Status;
using vaultcore::StatusOr;

// Helm 3.8 is the first with OCI registries out of their experiment, which charts of today name.
constexpr int kOldestMinorOfHelm3 = 8;
constexpr size_t kMaxHelmMemory = size_t{6} << 30;
constexpr size_t kShownMessageBytes = 1500;
constexpr char kInstallHint[] =
    "install Helm 3.8 or later (helm.sh/docs/intro/install), or name it: --helm PATH";

// A folder that is gone with this object.
class ScratchFolder {
 public:
  static StatusOr<std::unique_ptr<ScratchFolder>> Make() {
    std::error_code error;
    std::string name = (std::filesystem::temp_directory_path(error) / "vsg-XXXXXX").string();
    if (error || ::mkdtemp(name.data()) == nullptr) {
      return vaultcore::ErrnoError(errno, "make a folder in", name);
    }
    return std::unique_ptr<ScratchFolder>(new ScratchFolder(std::move(name)));
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  explicit ScratchFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

void AddSets(const Options& options, std::vector<std::string>& arguments) {
  for (const SetFlag& set : options.sets) {
    arguments.push_back(set.flag);
    arguments.push_back(set.argument);
  }
}

bool Holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

StatusOr<HelmVersion> ParseHelmVersion(std::string_view text) {
  const auto number = [&text]() -> std::optional<int> {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || value < 0) return std::nullopt;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    return value;
  };
  const size_t begin = text.find('v');
  text.remove_prefix(begin == std::string_view::npos ? text.size() : begin + 1);
  const std::optional<int> major = number();
  const bool dot = text.starts_with('.');
  text.remove_prefix(dot ? 1 : 0);
  const std::optional<int> minor = number();
  if (!major.has_value() || !dot || !minor.has_value()) {
    return MakeError(ErrorKind::kUsage, "helm version: the answer is no version", kInstallHint);
  }
  return HelmVersion{*major, *minor};
}

Status InterpretHelmFailure(std::string_view what, int exit_code, std::string_view standard_error,
                            const Scrubber& scrubber) {
  std::string_view hint;
  if (Holds(standard_error, "found in Chart.yaml, but missing in charts/")) {
    hint = "run: helm dependency build CHART";
  } else if (Holds(standard_error, "no such file or directory") ||
             (Holds(standard_error, "path \"") && Holds(standard_error, "not found"))) {
    hint = "is the chart's path right?";
  } else if (Holds(standard_error, "Kubernetes version")) {
    hint = "the chart asks for another Kubernetes: --kube-version VERSION";
  } else if (Holds(standard_error, "unknown command") || Holds(standard_error, "unknown flag")) {
    hint = "is this really Helm 3.8 or later? --helm PATH names another one";
  } else {
    hint = "the values files do not satisfy the chart; helm template shows the same";
  }
  std::string message = scrubber.Clean(standard_error);
  // The cause stands last; warnings about file modes and the like come first.
  if (const size_t at = message.rfind("Error: "); at != std::string::npos) {
    message.erase(0, at + 7);
  }
  std::string shown = vaultcore::Printable(message, kShownMessageBytes);
  while (!shown.empty() && shown.back() == ' ') shown.pop_back();
  if (shown.empty()) shown = "it ended with status " + std::to_string(exit_code);
  return MakeError(ErrorKind::kUsage, std::string(what) + ": " + shown, hint);
}

bool IsWithheldFromHelm(std::string_view variable, bool live) {
  if (variable.starts_with("VAULT_") || variable.starts_with("BAO_")) return true;
  if (live) return false;
  constexpr std::array<std::string_view, 8> kParts = {
      "TOKEN", "SECRET", "PASSWORD", "PASSWD", "API_KEY", "ACCESS_KEY", "CREDENTIAL", "PRIVATE"};
  std::string upper(variable);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return std::any_of(kParts.begin(), kParts.end(),
                     [&](std::string_view part) { return Holds(upper, part); });
}

std::vector<std::string> TemplateArguments(const Options& options,
                                           const std::string& release_namespace,
                                           const std::vector<Switch>& switches) {
  std::vector<std::string> arguments = {"template", options.release, options.chart, "--namespace",
                                        release_namespace};
  for (const std::string& file : options.values_files) {
    arguments.emplace_back("--values");
    arguments.push_back(file);
  }
  AddSets(options, arguments);
  if (!options.kube_version.empty()) {
    arguments.insert(arguments.end(), {"--kube-version", options.kube_version});
  }
  for (const std::string& name : options.api_versions) {
    arguments.insert(arguments.end(), {"--api-versions", name});
  }
  if (options.live) arguments.emplace_back("--dry-run=server");
  if (!options.kubeconfig.empty()) {
    arguments.insert(arguments.end(), {"--kubeconfig", options.kubeconfig});
  }
  if (!options.kube_context.empty()) {
    arguments.insert(arguments.end(), {"--kube-context", options.kube_context});
  }
  // Last, so that they win over the operator's own.
  for (const Switch& each : switches) {
    arguments.insert(arguments.end(), {each.flag, each.assignment});
  }
  return arguments;
}

apps::ProcessSpec Helm::Command(std::vector<std::string> arguments) const {
  apps::ProcessSpec spec;
  spec.argv = std::move(arguments);
  spec.argv.insert(spec.argv.begin(), program_);
  spec.environment = apps::FilteredEnvironment(
      [this](std::string_view name) { return IsWithheldFromHelm(name, options_.live); });
  spec.max_resident_bytes = kMaxHelmMemory;
  return spec;
}

StatusOr<Helm> Helm::Start(const Options& options, const vaultcore::EnvironmentLookup& environment,
                           const std::string& release_namespace, apps::RunOptions run) {
  Helm helm;
  helm.options_ = options;
  helm.run_ = std::move(run);
  helm.release_namespace_ = release_namespace;

  std::string name = options.helm.empty() ? environment("HELM_BIN").value_or("") : options.helm;
  if (name.empty()) name = "helm";
  StatusOr<std::string> program = apps::FindProgram(name, environment);
  if (!program.ok()) {
    return MakeError(ErrorKind::kUsage, vaultcore::MessageOf(program.status()), kInstallHint);
  }
  helm.program_ = *std::move(program);

  const std::vector<apps::ProcessSpec> specs = {helm.Command({"version", "--short"}),
                                                helm.Command({"show", "values", options.chart})};
  VC_ASSIGN_OR_RETURN(std::vector<apps::ProcessResult> results,
                      apps::RunProcesses(specs, helm.run_));
  const Scrubber scrubber;
  if (results[0].exit_code != 0) {
    return InterpretHelmFailure(helm.program_ + " version", results[0].exit_code,
                                results[0].standard_error.Reveal(), scrubber);
  }
  helm.version_ = vaultcore::Printable(results[0].standard_output.Reveal(), 40);
  while (helm.version_.ends_with(' ')) helm.version_.pop_back();
  VC_ASSIGN_OR_RETURN(const HelmVersion version, ParseHelmVersion(helm.version_));
  if (version.major < 3 || (version.major == 3 && version.minor < kOldestMinorOfHelm3)) {
    return MakeError(ErrorKind::kUsage, helm.program_ + " is " + helm.version_ + ", too old",
                     kInstallHint);
  }
  if (results[1].exit_code != 0) {
    return InterpretHelmFailure("chart " + options.chart, results[1].exit_code,
                                results[1].standard_error.Reveal(), scrubber);
  }
  helm.chart_values_ = std::move(results[1].standard_output);
  return helm;
}

StatusOr<std::vector<Secret>> Helm::Render(const std::vector<std::vector<Switch>>& renderings,
                                           const Scrubber& scrubber) const {
  std::vector<apps::ProcessSpec> specs;
  specs.reserve(renderings.size());
  for (const std::vector<Switch>& switches : renderings) {
    specs.emplace_back(Command(TemplateArguments(options_, release_namespace_, switches)));
  }
  VC_ASSIGN_OR_RETURN(std::vector<apps::ProcessResult> results, apps::RunProcesses(specs, run_));
  std::vector<Secret> texts;
  texts.reserve(results.size());
  for (apps::ProcessResult& result : results) {
    if (result.exit_code != 0) {
      return InterpretHelmFailure("helm cannot render " + options_.chart, result.exit_code,
                                  result.standard_error.Reveal(), scrubber);
    }
    texts.push_back(std::move(result.standard_output));
  }
  return texts;
}

StatusOr<Secret> Helm::SetValues(const Scrubber& scrubber) const {
  VC_ASSIGN_OR_RETURN(const std::unique_ptr<ScratchFolder> folder, ScratchFolder::Make());
  const std::string templates = folder->path() + "/templates";
  std::error_code error;
  std::filesystem::create_directory(templates, error);
  if (error) return vaultcore::ErrnoError(error.value(), "make", templates);
  VC_RETURN_IF_ERROR(vaultcore::WriteFileDurably(folder->path() + "/Chart.yaml",
                                                 "apiVersion: v2\nname: set\nversion: 1.0.0\n"));
  VC_RETURN_IF_ERROR(vaultcore::WriteFileDurably(
      templates + "/v.yaml",
      "apiVersion: v1\nkind: Values\nmetadata: {name: values}\nvalues:\n"
      "{{ toYaml .Values | indent 2 }}\n"));
  std::vector<std::string> arguments = {"template", "set", folder->path()};
  AddSets(options_, arguments);
  VC_ASSIGN_OR_RETURN(std::vector<apps::ProcessResult> results,
                      apps::RunProcesses({Command(std::move(arguments))}, run_));
  if (results[0].exit_code != 0) {
    return InterpretHelmFailure("--set", results[0].exit_code, results[0].standard_error.Reveal(),
                                scrubber);
  }
  return std::move(results[0].standard_output);
}

}  // namespace generator
