#include "generator/rendering.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/status_matchers.h"
#include "unit/generator/samples.h"

namespace generator {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;
using vaultcore::ErrorKind;
using vaultcore::StatusIs;

auto IsUse(UseKind kind, const std::string& name, const std::string& source) {
  return AllOf(Field(&Use::kind, kind), Field(&Use::name, name),
               testing::ResultOf([](const Use& use) { return use.source.ToString(); }, source));
}

TEST(ReadRendering, DecodesBothFormsOfSecretData) {
  const Rendering rendering = Read(
      "kind: Secret\nmetadata: {name: s, namespace: other}\ndata: {a: aGVsbG8=}\n"
      "stringData: {b: world}\n");
  EXPECT_EQ(Bytes(rendering.Find({{"other", "s"}, "a"})), "hello");
  EXPECT_EQ(Bytes(rendering.Find({{"other", "s"}, "b"})), "world");
  EXPECT_EQ(rendering.Find({{"other", "s"}, "c"}), nullptr);
  EXPECT_EQ(rendering.Find({{"default", "s"}, "a"}), nullptr);
}

TEST(ReadRendering, SaysWhereDataIsNotBase64AndNotWhatItIs) {
  const auto rendering = ReadRendering(
      "# Source: acme/templates/s.yaml\nkind: Secret\nmetadata: {name: s}\ndata: {a: '!canary!'}\n",
      "the rendering", "default");
  EXPECT_THAT(rendering, StatusIs(ErrorKind::kUsage,
                                  AllOf(HasSubstr("acme/templates/s.yaml"), HasSubstr("Secret s"),
                                        HasSubstr("key a"), Not(HasSubstr("canary")))));
}

TEST(ReadRendering, ReadsEveryKindWithAPodTemplate) {
  std::string manifests;
  const std::string pod =
      "{containers: [{name: c, env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]}]}";
  for (const char* kind :
       {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CustomThing"}) {
    manifests += "---\nkind: " + std::string(kind) +
                 "\nmetadata: {name: x}\nspec: {template: " + "{spec: " + pod + "}}\n";
  }
  manifests += "---\nkind: Pod\nmetadata: {name: x}\nspec: " + pod + "\n";
  manifests += "---\nkind: CronJob\nmetadata: {name: x}\nspec: {jobTemplate: {spec: {template: " +
               std::string("{spec: ") + pod + "}}}}\n";
  manifests += "---\nkind: List\nitems:\n- kind: Pod\n  metadata: {name: y}\n  spec: " + pod + "\n";
  const Rendering rendering = Read(manifests);
  EXPECT_EQ(rendering.workloads.size(), 9u);
  for (const Workload& workload : rendering.workloads) {
    EXPECT_THAT(workload.uses, ElementsAre(IsUse(UseKind::kEnv, "A", "s/k"))) << workload.kind;
  }
}

TEST(ReadRendering, InitContainersCount) {
  const Rendering rendering =
      Read("kind: Pod\nmetadata: {name: x}\nspec:\n  initContainers:\n  - name: first\n    env:\n" +
           EnvLine("A", "s", "k").substr(4) + "  containers: [{name: c}]\n");
  ASSERT_EQ(rendering.workloads.size(), 1u);
  ASSERT_EQ(rendering.workloads[0].uses.size(), 1u);
  EXPECT_EQ(rendering.workloads[0].uses[0].container, "first");
}

// Kubernetes: a later envFrom wins over an earlier one, `env` over both; keys that are no names are
// left out.
TEST(ReadRendering, EnvFromTakesWhatNothingElseSets) {
  const Rendering rendering =
      Read(SecretYaml("a", "one", "{A: 1, B: 1, C: 1, not-a-name: 1}") +
           SecretYaml("a", "two", "{B: 2}") +
           Deployment("a",
                      "        envFrom:\n        - secretRef: {name: one}\n"
                      "        - secretRef: {name: two}\n        - secretRef: {name: one}\n"
                      "          prefix: P_\n        env:\n        - {name: C, value: plain}\n"));
  ASSERT_EQ(rendering.workloads.size(), 1u);
  EXPECT_THAT(rendering.workloads[0].uses,
              UnorderedElementsAre(
                  IsUse(UseKind::kEnv, "A", "one/A"), IsUse(UseKind::kEnv, "B", "two/B"),
                  IsUse(UseKind::kEnv, "P_A", "one/A"), IsUse(UseKind::kEnv, "P_B", "one/B"),
                  IsUse(UseKind::kEnv, "P_C", "one/C")));
}

TEST(ReadRendering, EnvFromOfAnUnknownSecretIsTheWholeSecret) {
  const Rendering rendering =
      Read(Deployment("a", "        envFrom:\n        - secretRef: {name: x, optional: true}\n"));
  ASSERT_EQ(rendering.workloads.size(), 1u);
  EXPECT_THAT(rendering.workloads[0].uses, ElementsAre(IsUse(UseKind::kEnv, "", "x/*")));
  EXPECT_TRUE(rendering.workloads[0].uses[0].optional);
}

TEST(ReadRendering, FilesAreNamedAsTheApplicationOpensThem) {
  const Rendering rendering =
      Read(SecretYaml("a", "whole", "{x.pem: 1, y: 1}") +
           Deployment(
               "a", "        image: i\n",
               "      volumes:\n"
               "      - {name: v, secret: {secretName: whole}}\n"
               "      - {name: w, secret: {secretName: s, items: [{key: ca.crt, path: ca.pem}]}}\n"
               "      - name: p\n        projected:\n          sources:\n"
               "          - secret: {name: t, items: [{key: k, path: token}], optional: true}\n"
               "          - configMap: {name: c}\n"));
  ASSERT_EQ(rendering.workloads.size(), 1u);
  EXPECT_THAT(rendering.workloads[0].uses,
              UnorderedElementsAre(IsUse(UseKind::kFile, "x.pem", "whole/x.pem"),
                                   IsUse(UseKind::kFile, "y", "whole/y"),
                                   IsUse(UseKind::kFile, "ca.pem", "s/ca.crt"),
                                   IsUse(UseKind::kFile, "token", "t/k")));
  EXPECT_TRUE(rendering.workloads[0].uses.back().optional);
  EXPECT_TRUE(rendering.workloads[0].config_maps.contains(ObjectName{"default", "c"}));
}

TEST(ReadRendering, ReadsTheLoadersConfiguration) {
  const Rendering rendering = Read(LoaderYaml("web", "web-service", "harness/web"));
  ASSERT_EQ(rendering.loaders.size(), 1u);
  EXPECT_EQ(rendering.loaders[0].config.service, "web-service");
  EXPECT_EQ(rendering.loaders[0].config.base_path, "harness/web");
  EXPECT_THAT(rendering.loaders[0].chart, ElementsAre("acme", "web"));
}

// A ConfigMap that holds manifests as text is no manifest.
TEST(ReadRendering, TextsInsideConfigMapsAreNoSecrets) {
  const Rendering rendering = Read(
      "kind: ConfigMap\nmetadata: {name: c}\ndata:\n  x: |\n    ---\n    kind: Secret\n"
      "    metadata: {name: s}\n");
  EXPECT_THAT(rendering.secrets, IsEmpty());
}

TEST(ReadRendering, OtherObjectsReferToSecretsToo) {
  const Rendering rendering = Read(
      "kind: Ingress\nmetadata: {name: i}\nspec: {tls: [{secretName: cert}]}\n---\n"
      "kind: Database\nmetadata: {name: d, namespace: n}\n"
      "spec: {users: [{passwordFrom: {secretKeyRef: {name: s, key: k}}}]}\n");
  EXPECT_THAT(rendering.other_references,
              UnorderedElementsAre(Source{{"default", "cert"}, ""}, Source{{"n", "s"}, "k"}));
}

TEST(ReadRendering, BrokenYamlIsToldByPlaceOnly) {
  const auto rendering =
      ReadRendering("---\n# Source: acme/templates/s.yaml\nkind: Secret\ndata: [canary\n",
                    "the rendering", "default");
  EXPECT_THAT(rendering, StatusIs(ErrorKind::kUsage, AllOf(HasSubstr("acme/templates/s.yaml"),
                                                           Not(HasSubstr("canary")))));
}

}  // namespace
}  // namespace generator
