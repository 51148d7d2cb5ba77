#include "generator/needs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/status_matchers.h"
#include "unit/generator/samples.h"

namespace generator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// "secret/harness/web/env-secrets A <- s/k".
std::vector<std::string> Lines(const Needs& needs) {
  std::vector<std::string> lines;
  for (const Need& need : needs.needs) {
    std::string line = need.place.entry.ToString() + " " + need.place.key + " <-";
    for (const Source& source : need.sources) line += " " + source.ToString();
    if (need.optional) line += " optional";
    lines.push_back(line);
  }
  return lines;
}

Needs Find(const std::string& off, const std::string& on) {
  vaultcore::StatusOr<Needs> needs = FindNeeds(Read(off), Read(on), SampleDefaults());
  EXPECT_THAT(needs, vaultcore::IsOk());
  return needs.ok() ? *std::move(needs) : Needs();
}

std::string Env(const std::string& lines) { return "        env:\n" + lines; }

constexpr char kLoaderVolume[] = "      volumes: [{name: loader, configMap: {name: web-loader}}]\n";

TEST(FindNeeds, IsWhatIsTakenOffAndNoLongerOn) {
  const Needs needs = Find(
      Deployment("web", Env(EnvLine("A", "s", "a") + EnvLine("B", "s", "b"))),
      Deployment("web", Env(EnvLine("B", "s", "b")), kLoaderVolume) + LoaderYaml("web", "web"));
  EXPECT_THAT(Lines(needs), ElementsAre("secret/harness/web/env-secrets A <- s/a"));
  EXPECT_THAT(needs.services, ElementsAre("web"));
  ASSERT_EQ(needs.staying.size(), 1u);
  EXPECT_EQ(needs.staying[0].name, "B");
  EXPECT_TRUE(needs.taken_from_kubernetes.contains(SourceOf("s", "b")));
  EXPECT_FALSE(needs.taken_from_kubernetes.contains(SourceOf("s", "a")));
}

// The same name may stand for something else with the loader on.
TEST(FindNeeds, ANameFromAnotherSecretIsAnotherUse) {
  const Needs needs = Find(
      Deployment("web", Env(EnvLine("A", "s", "a"))),
      Deployment("web", Env(EnvLine("A", "other", "a")), kLoaderVolume) + LoaderYaml("web", "web"));
  EXPECT_THAT(Lines(needs), ElementsAre("secret/harness/web/env-secrets A <- s/a"));
}

TEST(FindNeeds, TheLoadersConfigurationNamesServiceAndPlace) {
  const Needs needs =
      Find(Deployment("web", Env(EnvLine("A", "s", "a"))),
           Deployment("web", "", kLoaderVolume) + LoaderYaml("web", "front", "harness/special"));
  EXPECT_THAT(Lines(needs), ElementsAre("secret/harness/special/front/env-secrets A <- s/a"));
}

TEST(FindNeeds, AWorkloadWithoutALoaderOfItsOwnBelongsToItsChartsService) {
  const Needs needs = Find(Deployment("web", Env(EnvLine("A", "s", "a"))),
                           Deployment("web", "") + LoaderYaml("web", "front"));
  EXPECT_THAT(Lines(needs), ElementsAre("secret/harness/front/env-secrets A <- s/a"));
}

TEST(FindNeeds, ChartsWithoutALoaderKeepTheirSecrets) {
  const std::string database = Deployment("db", Env(EnvLine("P", "db", "p")));
  const Needs needs =
      Find(database + Deployment("web", Env(EnvLine("DB", "db", "p"))),
           database + Deployment("web", "", kLoaderVolume) + LoaderYaml("web", "web"));
  EXPECT_THAT(Lines(needs), ElementsAre("secret/harness/web/env-secrets DB <- db/p"));
  EXPECT_TRUE(needs.taken_from_kubernetes.contains(SourceOf("db", "p")));
  EXPECT_TRUE(needs.knows_loader);
}

TEST(FindNeeds, AChartThatKnowsNoLoaderIsTakenInFull) {
  const std::string manifests = Deployment("web", Env(EnvLine("A", "s", "a")));
  const Needs needs = Find(manifests, manifests);
  EXPECT_FALSE(needs.knows_loader);
  EXPECT_THAT(Lines(needs), ElementsAre("secret/harness/web/env-secrets A <- s/a"));
  EXPECT_THAT(needs.staying, IsEmpty());
}

// A Job's name may hold a random part.
TEST(FindNeeds, FindsAWorkloadAgainByItsTemplate) {
  const auto job = [](const std::string& name, const std::string& env) {
    return "---\n# Source: acme/charts/web/templates/job.yaml\nkind: Job\nmetadata: {name: " +
           name +
           "}\nspec:\n  template:\n    spec:\n      containers:\n      - name: app\n        "
           "env:\n" +
           env;
  };
  const Needs needs = Find(job("run-abc", EnvLine("A", "s", "a") + EnvLine("B", "s", "b")),
                           job("run-xyz", EnvLine("B", "s", "b")) + LoaderYaml("web", "web"));
  EXPECT_THAT(Lines(needs), ElementsAre("secret/harness/web/env-secrets A <- s/a"));
}

TEST(FindNeeds, TwoSourcesOfOneNameAreBothKept) {
  const std::string job =
      "---\n# Source: acme/charts/web/templates/job.yaml\nkind: Job\nmetadata: {name: j}\n"
      "spec:\n  template:\n    spec:\n      containers:\n      - name: app\n        env:\n" +
      EnvLine("A", "t", "a");
  const Needs needs = Find(Deployment("web", Env(EnvLine("A", "s", "a"))) + job,
                           Deployment("web", "") + LoaderYaml("web", "web"));
  EXPECT_THAT(Lines(needs), ElementsAre("secret/harness/web/env-secrets A <- s/a t/a"));
}

TEST(FindNeeds, OptionalOnlyIfAllAreOptional) {
  const auto one = [](const std::string& container, bool optional) {
    return "      - name: " + container +
           "\n        env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: a, optional: " +
           (optional ? "true" : "false") + "}}}]\n";
  };
  const std::string head =
      "# Source: acme/charts/web/templates/d.yaml\nkind: Deployment\nmetadata: {name: web}\n"
      "spec:\n  template:\n    spec:\n      containers:\n";
  const std::string on = Deployment("web", "") + LoaderYaml("web", "web");
  EXPECT_THAT(Lines(Find(head + one("x", true) + one("y", true), on)),
              ElementsAre("secret/harness/web/env-secrets A <- s/a optional"));
  EXPECT_THAT(Lines(Find(head + one("x", true) + one("y", false), on)),
              ElementsAre("secret/harness/web/env-secrets A <- s/a"));
}

TEST(FindNeeds, DatabaseVariablesBelongToTheDatabasesEntry) {
  const std::string databases =
      "    databases:\n    - {type: mongo, useDatabaseSecretsEngine: \"false\", userEnvSecrets: "
      "[U], "
      "passwordEnvSecrets: [P, Q]}\n";
  const Needs needs =
      Find(Deployment("web", Env(EnvLine("U", "m", "u") + EnvLine("P", "m", "p") +
                                 EnvLine("Q", "m", "p") + EnvLine("A", "s", "a"))),
           Deployment("web", "", kLoaderVolume) + LoaderYaml("web", "web", "harness", databases));
  EXPECT_THAT(Lines(needs), UnorderedElementsAre("secret/harness/mongo password <- m/p",
                                                 "secret/harness/mongo username <- m/u",
                                                 "secret/harness/web/env-secrets A <- s/a"));
  EXPECT_THAT(needs.services, ElementsAre("web"));
}

TEST(FindNeeds, CredentialsThatVaultIssuesAreNotWritten) {
  const std::string databases =
      "    databases:\n    - {type: pg, useDatabaseSecretsEngine: \"true\", databaseRole: r, "
      "userEnvSecrets: [U], passwordEnvSecrets: [P]}\n";
  const Needs needs =
      Find(Deployment("web", Env(EnvLine("U", "m", "u") + EnvLine("P", "m", "p"))),
           Deployment("web", "", kLoaderVolume) + LoaderYaml("web", "web", "harness", databases));
  EXPECT_THAT(Lines(needs), IsEmpty());
  ASSERT_EQ(needs.dynamic.size(), 1u);
  EXPECT_EQ(needs.dynamic[0].Path(), "database/creds/r");
}

TEST(FindNeeds, NothingIsWrittenForALoaderThatReadsFromAnotherVault) {
  const Needs needs =
      Find(Deployment("web", Env(EnvLine("A", "s", "a"))),
           Deployment("web", "", kLoaderVolume) +
               LoaderYaml("web", "web", "harness", "", "https://other.example:8200"));
  EXPECT_THAT(Lines(needs), IsEmpty());
  EXPECT_THAT(needs.problems, ElementsAre(HasSubstr("https://other.example:8200")));
}

TEST(FindNeeds, FilesForALoaderThatWritesNoneAreTold) {
  const Needs needs =
      Find(Deployment(
               "web", "        image: i\n",
               "      volumes: [{name: v, secret: {secretName: s, items: [{key: a, path: b}]}}]\n"),
           Deployment("web", "", kLoaderVolume) +
               LoaderYaml("web", "web", "harness",
                          "    secrets: {fileSecrets: {enabled: \"false\"}}\n"));
  EXPECT_THAT(Lines(needs), ElementsAre("secret/harness/web/file-secrets b <- s/a"));
  EXPECT_THAT(needs.notes, ElementsAre(HasSubstr("fileSecrets")));
}

TEST(AddTlsKeys, AreNeedsOfTheDatabaseInOrderAndOnce) {
  Needs needs;
  const Defaults defaults = SampleDefaults();
  EXPECT_THAT(AddTlsKeys({{"postgres", "caFile"}, {"mongo", "caFile"}, {"postgres", "caFile"}},
                         defaults.layout, needs),
              vaultcore::IsOk());
  EXPECT_THAT(Lines(needs),
              ElementsAre("secret/harness/mongo caFile <-", "secret/harness/postgres caFile <-"));
}

}  // namespace
}  // namespace generator
