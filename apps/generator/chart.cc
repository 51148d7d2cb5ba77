#include "generator/chart.h"

#include <chrono>
#include <utility>

#include "generator/values.h"
#include "vaultcore/base/file.h"

namespace generator {
namespace {

using vaultcore::ErrorKind;
using vaultcore::MakeError;
using vaultcore::Secret;
using vaultcore::Status;
using vaultcore::StatusOr;
using vaultcore::YamlNode;

constexpr char kOff[] = "the rendering with the loader off";
constexpr char kAgain[] = "the second rendering with the loader off";
constexpr char kOn[] = "the rendering with the loader on";
constexpr size_t kMaxManifestBytes = size_t{256} << 20;

StatusOr<Secret> ReadManifestFile(const std::string& path) {
  StatusOr<Secret> text =
      vaultcore::ReadSecretFile(path == "-" ? "/dev/stdin" : path, kMaxManifestBytes);
  if (text.ok() || vaultcore::KindOf(text.status()) != ErrorKind::kNotFound) return text;
  return MakeError(ErrorKind::kUsage, vaultcore::MessageOf(text.status()));
}

}  // namespace

void Chart::AddOwn(const YamlNode& values) {
  for (const NamedScalar& scalar : TextScalars(values)) {
    own_values_.insert(scalar.value);
    if (LooksSecret(scalar.key)) scrubber_.Add(Bytes(scalar.value));
  }
}

Status Chart::Load(const vaultcore::EnvironmentLookup& environment, apps::RunOptions run) {
  release_namespace_ = options_.name_space;
  if (release_namespace_.empty()) release_namespace_ = environment("HELM_NAMESPACE").value_or("");
  if (release_namespace_.empty()) release_namespace_ = "default";

  std::vector<YamlNode> files;
  for (const std::string& file : options_.values_files) {
    VC_ASSIGN_OR_RETURN(YamlNode values, LoadValuesFile(file));
    AddOwn(values);
    for (const std::string& line : UnknownLoaderKeys(values, file)) console_.Note(line);
    files.push_back(std::move(values));
  }
  if (options_.manifests.empty()) VC_RETURN_IF_ERROR(StartHelm(environment, std::move(run)));
  for (const YamlNode& values : files) values_.MergeFrom(values);
  if (helm_.has_value() && !options_.sets.empty()) {
    VC_ASSIGN_OR_RETURN(const Secret text, helm_->SetValues(scrubber_));
    VC_ASSIGN_OR_RETURN(const YamlNode document, ParseValues(text.Reveal(), "--set"));
    AddOwn(document["values"]);
    values_.MergeFrom(document["values"]);
  }
  return absl::OkStatus();
}

Status Chart::StartHelm(const vaultcore::EnvironmentLookup& environment, apps::RunOptions run) {
  console_.progress().Show("reading the chart");
  VC_ASSIGN_OR_RETURN(Helm helm,
                      Helm::Start(options_, environment, release_namespace_, std::move(run)));
  helm_.emplace(std::move(helm));
  VC_ASSIGN_OR_RETURN(values_,
                      ParseValues(helm_->chart_values().Reveal(), options_.chart + "/values.yaml"));
  for (const NamedScalar& scalar : TextScalars(values_)) {
    if (LooksSecret(scalar.key)) scrubber_.Add(Bytes(scalar.value));
  }
  return absl::OkStatus();
}

StatusOr<Renderings> Chart::Render() {
  return helm_.has_value() ? RenderWithHelm() : ReadManifests();
}

StatusOr<std::vector<Secret>> Chart::RenderAll(const std::vector<std::vector<Switch>>& renderings) {
  const auto begin = std::chrono::steady_clock::now();
  helm_->set_on_tick([this, begin, &renderings](size_t ended) {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begin);
    console_.progress().Show("rendering the chart with Helm, " + std::to_string(ended) + " of " +
                             std::to_string(renderings.size()) + " done (" +
                             std::to_string(seconds.count()) + " s)");
  });
  return helm_->Render(renderings, scrubber_);
}

StatusOr<Rendering> Chart::Read(const Secret& text, std::string_view what, Extent extent) const {
  return ReadRendering(text.Reveal(), what, release_namespace_, extent);
}

StatusOr<Renderings> Chart::RenderWithHelm() {
  std::vector<Switch> off = LoaderSwitches(values_, false);
  VC_ASSIGN_OR_RETURN(std::vector<Secret> texts,
                      RenderAll({off, off, LoaderSwitches(values_, true)}));
  Renderings result;
  VC_ASSIGN_OR_RETURN(result.on, Read(texts[2], kOn));
  VC_ASSIGN_OR_RETURN(result.off, Read(texts[0], kOff));
  if (!result.off.loaders.empty()) {
    // Subcharts whose own values switch it on are seen only now.
    for (const LoaderManifest& loader : result.off.loaders) {
      if (loader.chart.empty()) continue;
      off.push_back(SubchartOff({loader.chart.begin() + 1, loader.chart.end()}));
    }
    VC_ASSIGN_OR_RETURN(texts, RenderAll({off, off}));
    VC_ASSIGN_OR_RETURN(result.off, Read(texts[0], kOff));
  }
  VC_ASSIGN_OR_RETURN(result.again, Read(texts[1], kAgain, Extent::kSecretsOnly));
  for (const std::string& warning : result.on.warnings) console_.Note(warning);
  return result;
}

StatusOr<Renderings> Chart::ReadManifests() {
  Renderings result;
  VC_ASSIGN_OR_RETURN(Secret text, ReadManifestFile(options_.manifests.front()));
  VC_ASSIGN_OR_RETURN(result.off, Read(text, options_.manifests.front()));
  if (options_.manifests.size() > 1) {
    VC_ASSIGN_OR_RETURN(text, ReadManifestFile(options_.manifests[1]));
  } else {
    console_.Note(
        "one rendering does not show which values the chart invents: all are kept as they are; "
        "give a second rendering of the same with another --manifests");
  }
  VC_ASSIGN_OR_RETURN(result.again, Read(text, options_.manifests.back(), Extent::kSecretsOnly));
  if (!options_.manifests_loader_on.empty()) {
    VC_ASSIGN_OR_RETURN(text, ReadManifestFile(options_.manifests_loader_on));
    VC_ASSIGN_OR_RETURN(result.on, Read(text, options_.manifests_loader_on));
  }
  return result;
}

}  // namespace generator
