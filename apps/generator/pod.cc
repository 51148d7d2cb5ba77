#include "generator/pod.h"

#include <utility>

#include "vaultcore/model/layout.h"

namespace generator {
namespace {

using vaultcore::YamlNode;

class PodReader {
 public:
  PodReader(const std::map<ObjectName, SecretManifest>& secrets, Workload& workload)
      : secrets_(secrets), workload_(workload) {}

  void Read(const YamlNode& pod) {
    for (const char* list : {"initContainers", "containers", "ephemeralContainers"}) {
      for (const YamlNode& container : pod[list].items()) ReadContainer(container);
    }
    for (const YamlNode& volume : pod["volumes"].items()) ReadVolume(volume);
  }

 private:
  ObjectName Named(const YamlNode& name) const { return {workload_.name.name_space, name.text()}; }

  // Kubernetes' own order: a later envFrom wins over an earlier one, and `env` over both.
  void ReadContainer(const YamlNode& container) {
    const std::string name = container["name"].text();
    std::map<std::string, Use> variables;
    for (const YamlNode& from : container["envFrom"].items()) {
      if (from["configMapRef"]["name"].is_scalar()) {
        workload_.config_maps.insert(Named(from["configMapRef"]["name"]));
      }
      const YamlNode& reference = from["secretRef"];
      if (!reference["name"].is_scalar()) continue;
      ReadEnvFrom(name, reference, from["prefix"].text(), variables);
    }
    for (const YamlNode& variable : container["env"].items()) {
      const std::string& variable_name = variable["name"].text();
      const YamlNode& from = variable["valueFrom"];
      variables.erase(variable_name);
      if (from["configMapKeyRef"]["name"].is_scalar()) {
        workload_.config_maps.insert(Named(from["configMapKeyRef"]["name"]));
      }
      const YamlNode& reference = from["secretKeyRef"];
      if (!reference["name"].is_scalar()) continue;
      variables[variable_name] = {name, UseKind::kEnv, variable_name,
                                  Source{Named(reference["name"]), reference["key"].text()},
                                  reference["optional"].AsBool().value_or(false)};
    }
    for (auto& [ignored, use] : variables) workload_.uses.push_back(std::move(use));
  }

  void ReadEnvFrom(const std::string& container, const YamlNode& reference,
                   const std::string& prefix, std::map<std::string, Use>& variables) {
    const ObjectName secret = Named(reference["name"]);
    const bool optional = reference["optional"].AsBool().value_or(false);
    const auto found = secrets_.find(secret);
    if (found == secrets_.end()) {
      workload_.uses.push_back({container, UseKind::kEnv, "", Source{secret, ""}, optional});
      return;
    }
    for (const auto& [key, ignored] : found->second.data) {
      std::string name = prefix + key;
      // Kubernetes leaves out the keys that are no names.
      if (!vaultcore::IsEnvironmentName(name)) continue;
      Use use{container, UseKind::kEnv, name, Source{secret, key}, optional};
      variables[std::move(name)] = std::move(use);
    }
  }

  void ReadVolume(const YamlNode& volume) {
    if (volume["configMap"]["name"].is_scalar()) {
      workload_.config_maps.insert(Named(volume["configMap"]["name"]));
    }
    if (volume["secret"]["secretName"].is_scalar()) {
      ReadSecretFiles(volume["secret"]["secretName"], volume["secret"]);
    }
    for (const YamlNode& part : volume["projected"]["sources"].items()) {
      if (part["configMap"]["name"].is_scalar()) {
        workload_.config_maps.insert(Named(part["configMap"]["name"]));
      }
      if (part["secret"]["name"].is_scalar()) {
        ReadSecretFiles(part["secret"]["name"], part["secret"]);
      }
    }
  }

  void ReadSecretFiles(const YamlNode& secret_name, const YamlNode& part) {
    const ObjectName secret = Named(secret_name);
    const bool optional = part["optional"].AsBool().value_or(false);
    if (!part["items"].items().empty()) {
      for (const YamlNode& item : part["items"].items()) {
        AddFile(item["path"].text(), Source{secret, item["key"].text()}, optional);
      }
      return;
    }
    const auto found = secrets_.find(secret);
    if (found == secrets_.end()) {
      AddFile("", Source{secret, ""}, optional);
      return;
    }
    for (const auto& [key, ignored] : found->second.data) {
      AddFile(key, Source{secret, key}, optional);
    }
  }

  void AddFile(const std::string& name, Source source, bool optional) {
    workload_.uses.push_back({"", UseKind::kFile, name, std::move(source), optional});
  }

  const std::map<ObjectName, SecretManifest>& secrets_;
  Workload& workload_;
};

}  // namespace

const YamlNode& PodSpecOf(const YamlNode& object) {
  const std::string& kind = object["kind"].text();
  const YamlNode& spec = object["spec"];
  if (kind == "Pod") return spec;
  if (kind == "CronJob") return spec["jobTemplate"]["spec"]["template"]["spec"];
  return spec["template"]["spec"];
}

void ReadPod(const YamlNode& pod, const std::map<ObjectName, SecretManifest>& secrets,
             Workload& workload) {
  PodReader(secrets, workload).Read(pod);
}

}  // namespace generator
