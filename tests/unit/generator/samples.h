// Short ways to write what the generator's tests are about.

#ifndef VAULTCORE_TESTS_UNIT_GENERATOR_SAMPLES_H_
#define VAULTCORE_TESTS_UNIT_GENERATOR_SAMPLES_H_

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "generator/form.h"
#include "generator/needs.h"
#include "generator/rendering.h"
#include "vaultcore/model/layout.h"

namespace generator {

inline vaultcore::SecretRef Ref(std::string_view mount, std::string_view path) {
  return {*vaultcore::Mount::Parse(mount), *vaultcore::SecretPath::Parse(path)};
}

inline Source SourceOf(std::string_view secret, std::string_view key) {
  return {{"default", std::string(secret)}, std::string(key)};
}

inline Defaults SampleDefaults() {
  return {*vaultcore::SecretLayout::Create("secret", "harness"),
          *vaultcore::Endpoint::Parse("https://vault.example:8200")};
}

inline Rendering Read(std::string_view manifests) {
  vaultcore::StatusOr<Rendering> rendering = ReadRendering(manifests, "the rendering", "default");
  EXPECT_TRUE(rendering.ok()) << vaultcore::MessageOf(rendering.status());
  return rendering.ok() ? *std::move(rendering) : Rendering();
}

// Random bytes that are the same in each run: 0, 1, 2, ...
inline RandomBytes CountingBytes() {
  return [next = 0u](unsigned char* data, size_t size) mutable {
    for (size_t i = 0; i < size; ++i) data[i] = static_cast<unsigned char>(next++);
    return true;
  };
}

// A Deployment of chart "acme/charts/<service>" with one container and these lines of its spec.
inline std::string Deployment(std::string_view service, std::string_view container_lines,
                              std::string_view pod_lines = "") {
  const std::string name(service);
  return "---\n# Source: acme/charts/" + name + "/templates/deployment.yaml\n" +
         "kind: Deployment\nmetadata: {name: " + name + "}\n" +
         "spec:\n  template:\n    spec:\n      containers:\n      - name: app\n" +
         std::string(container_lines) + std::string(pod_lines);
}

inline std::string EnvLine(std::string_view name, std::string_view secret, std::string_view key) {
  return "        - {name: " + std::string(name) +
         ", valueFrom: {secretKeyRef: {name: " + std::string(secret) +
         ", key: " + std::string(key) + "}}}\n";
}

inline std::string SecretYaml(std::string_view chart, std::string_view name,
                              std::string_view string_data) {
  return "---\n# Source: acme/charts/" + std::string(chart) + "/templates/secret.yaml\n" +
         "kind: Secret\nmetadata: {name: " + std::string(name) +
         "}\nstringData: " + std::string(string_data) + "\n";
}

// The ConfigMap of a service's loader. `extra`: more lines of its configuration.
inline std::string LoaderYaml(std::string_view chart, std::string_view service,
                              std::string_view base_path = "harness", std::string_view extra = "",
                              std::string_view address = "https://vault.example:8200") {
  return "---\n# Source: acme/charts/" + std::string(chart) + "/templates/loader.yaml\n" +
         "kind: ConfigMap\nmetadata: {name: " + std::string(chart) + "-loader}\ndata:\n" +
         "  secrets-loader-config.yaml: |\n    provider: vault\n    vault: {address: \"" +
         std::string(address) + "\", engine: secret, basePath: \"" + std::string(base_path) +
         "\", auth: {method: token}}\n    serviceName: " + std::string(service) + "\n" +
         std::string(extra);
}

}  // namespace generator

#endif  // VAULTCORE_TESTS_UNIT_GENERATOR_SAMPLES_H_
