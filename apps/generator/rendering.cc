#include "generator/rendering.h"

#include <optional>
#include <utility>

#include "generator/manifest.h"
#include "generator/pod.h"
#include "vaultcore/base/encoding.h"
#include "vaultcore/config/yaml.h"

namespace generator {
namespace {

using vaultcore::ErrorKind;
using vaultcore::MakeError;
using vaultcore::Status;
using vaultcore::StatusOr;
using vaultcore::YamlNode;

constexpr char kLoaderKey[] = "secrets-loader-config.yaml";

class Reader {
 public:
  Reader(std::string_view what, const std::string& release_namespace, Extent extent)
      : what_(what), release_namespace_(release_namespace), extent_(extent) {}

  Status ReadDocument(const ManifestText& document) {
    if (!IsOfInterest(document.text)) return absl::OkStatus();
    std::string name(document.template_path);
    name += (name.empty() ? "" : " in ") + what_;
    vaultcore::YamlLimits limits;
    limits.allow_duplicate_keys = true;  // Kubernetes takes the last
    return vaultcore::ForEachYamlDocument(document.text, name, limits, [&](const YamlNode& object) {
      return ReadObject(object, document.template_path, name);
    });
  }

  Rendering Finish() {
    // Which keys an envFrom shows is known only when all Secrets have been seen.
    for (const Pending& each : pending_) {
      Workload workload = each.workload;
      ReadPod(each.pod, rendering_.secrets, workload);
      rendering_.workloads.push_back(std::move(workload));
    }
    return std::move(rendering_);
  }

 private:
  struct Pending {
    Workload workload;
    YamlNode pod;
  };

  bool IsOfInterest(std::string_view text) const {
    const std::string_view kind = QuickKind(text);
    if (extent_ == Extent::kSecretsOnly && !kind.empty() && kind != "List" && kind != "Secret") {
      return false;
    }
    if (kind == "ConfigMap") return text.find(kLoaderKey) != std::string_view::npos;
    if (kind == "CustomResourceDefinition") return false;
    // Anything else may refer to a Secret or to a loader's ConfigMap, but not without these words.
    return kind.empty() || kind == "List" || text.find("ecret") != std::string_view::npos ||
           text.find("configMap") != std::string_view::npos;
  }

  ObjectName NameOf(const YamlNode& object) const {
    const YamlNode& metadata = object["metadata"];
    const std::string& name_space = metadata["namespace"].text();
    return {name_space.empty() ? release_namespace_ : name_space, metadata["name"].text()};
  }

  Status ReadObject(const YamlNode& object, std::string_view template_path,
                    const std::string& where) {
    const std::string& kind = object["kind"].text();
    if (kind == "List") {
      for (const YamlNode& item : object["items"].items()) {
        VC_RETURN_IF_ERROR(ReadObject(item, template_path, where));
      }
      return absl::OkStatus();
    }
    if (kind == "Secret") return ReadSecret(object, template_path, where);
    if (kind == "ConfigMap") return ReadConfigMap(object, template_path, where);
    const YamlNode& pod = PodSpecOf(object);
    if (pod.is_map() && pod.Contains("containers")) {
      pending_.push_back(
          {Workload{
               kind, NameOf(object), ChartOf(template_path), std::string(template_path), {}, {}},
           pod});
      return absl::OkStatus();
    }
    ReadReferences(object, NameOf(object).name_space);
    return absl::OkStatus();
  }

  Status ReadSecret(const YamlNode& object, std::string_view template_path,
                    const std::string& where) {
    SecretManifest& secret = rendering_.secrets[NameOf(object)];
    secret.chart = ChartOf(template_path);
    for (const YamlNode::Member& member : object["data"].members()) {
      std::optional<vaultcore::Secret> bytes =
          vaultcore::Base64Decode(member.value.text(), /*allow_whitespace=*/true);
      if (!bytes.has_value()) {
        return MakeError(ErrorKind::kUsage, where + ": Secret " + NameOf(object).name + ", key " +
                                                member.key + " is not base64");
      }
      secret.data[member.key] = MakeValue(*std::move(bytes));
    }
    for (const YamlNode::Member& member : object["stringData"].members()) {
      secret.data[member.key] = MakeValue(member.value.text());
    }
    return absl::OkStatus();
  }

  Status ReadConfigMap(const YamlNode& object, std::string_view template_path,
                       const std::string& where) {
    const YamlNode& text = object["data"][kLoaderKey];
    if (!text.is_scalar()) return absl::OkStatus();
    const ObjectName name = NameOf(object);
    VC_ASSIGN_OR_RETURN(vaultcore::LoaderConfig config,
                        vaultcore::ParseLoaderConfig(
                            text.text(), where + ", ConfigMap " + name.name, &rendering_.warnings));
    rendering_.loaders.push_back({name, ChartOf(template_path), std::move(config)});
    return absl::OkStatus();
  }

  // Any other object: whatever it calls secretName or secretKeyRef, somebody takes from Kubernetes.
  void ReadReferences(const YamlNode& node, const std::string& name_space) {
    for (const YamlNode::Member& member : node.members()) {
      if (member.key == "secretName" && member.value.is_scalar()) {
        rendering_.other_references.insert({{name_space, member.value.text()}, ""});
      } else if (member.key == "secretKeyRef" || member.key == "secretRef") {
        rendering_.other_references.insert(
            {{name_space, member.value["name"].text()}, member.value["key"].text()});
      } else {
        ReadReferences(member.value, name_space);
      }
    }
    for (const YamlNode& item : node.items()) ReadReferences(item, name_space);
  }

  const std::string what_;
  const std::string& release_namespace_;
  const Extent extent_;
  Rendering rendering_;
  std::vector<Pending> pending_;
};

}  // namespace

Value Rendering::Find(const Source& source) const {
  const auto secret = secrets.find(source.secret);
  if (secret == secrets.end()) return nullptr;
  const auto value = secret->second.data.find(source.key);
  return value == secret->second.data.end() ? nullptr : value->second;
}

StatusOr<Rendering> ReadRendering(std::string_view manifests, std::string_view what,
                                  const std::string& release_namespace, Extent extent) {
  Reader reader(what, release_namespace, extent);
  for (const ManifestText& document : SplitManifests(manifests)) {
    VC_RETURN_IF_ERROR(reader.ReadDocument(document));
  }
  return reader.Finish();
}

}  // namespace generator
