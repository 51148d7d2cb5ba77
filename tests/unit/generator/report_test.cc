#include "generator/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generator/commands.h"
#include "unit/generator/samples.h"
#include "vaultcore/api/json.h"

namespace generator {
namespace {

using testing::HasSubstr;
using testing::Not;

Report SampleReport() {
  Report report;
  report.release = "demo";
  report.chart = "chart";
  report.address = "https://vault.example:8200";
  report.entries_written = 1;
  const auto add = [&](const char* key, Class cls, KeyState state, const char* made) {
    ReportKey each;
    each.service = "web";
    each.entry = "secret/harness/web/env-secrets";
    each.key = key;
    each.cls = cls;
    each.state = state;
    each.made = made;
    report.keys.push_back(each);
    return &report.keys.back();
  };
  add("PASSWORD", Class::kGenerated, KeyState::kWritten, "new: 32 letters and digits")->version = 2;
  add("OLD", Class::kGenerated, KeyState::kPresent, "was there already");
  add("LICENSE", Class::kExternal, KeyState::kByHand, "the chart holds no value for it")->command =
      "vault kv patch ...";
  return report;
}

TEST(FormatTable, ShowsWhatWasDoneAndWhatIsLeft) {
  EXPECT_EQ(FormatTable(SampleReport(), false),
            "SERVICE  KEY       HOW IT WAS MADE             WHERE\n"
            "web      PASSWORD  new: 32 letters and digits  secret/harness/web/env-secrets "
            "(version 2)\n"
            "\n"
            "To be added by hand:\n"
            "  web  LICENSE  (the chart holds no value for it)\n"
            "    vault kv patch ...\n"
            "\n"
            "Each command reads the value from standard input: type or paste it, then Ctrl-D "
            "twice.\n"
            "They need VAULT_TOKEN and VAULT_ADDR=https://vault.example:8200\n"
            "\n"
            "wrote 1 key into 1 entry; 1 was there already; 1 to be added by hand\n");
}

TEST(FormatTable, ShowsAllOnRequest) {
  EXPECT_THAT(FormatTable(SampleReport(), true), HasSubstr("web      OLD "));
}

TEST(FormatTable, SaysThatNothingIsLeftToDo) {
  Report report = SampleReport();
  report.keys.erase(report.keys.begin(), report.keys.begin() + 1);
  report.keys.pop_back();
  report.entries_written = 0;
  EXPECT_EQ(FormatTable(report, false),
            "nothing to do: all that can be made is in Vault; 1 was there already\n");
}

TEST(FormatTable, VerifySaysWhatIsMissing) {
  Report report = SampleReport();
  report.command = Command::kVerify;
  report.entries_written = 0;
  report.keys[0].state = KeyState::kMissing;
  report.AddMissingRole({"web", "pg", "database", "r"});
  EXPECT_EQ(report.CountMissing(), 3u);
  const std::string text = FormatTable(report, false);
  EXPECT_THAT(text, HasSubstr("database/roles/r"));
  EXPECT_THAT(text, HasSubstr("3 keys are missing; 1 was found"));
  report.keys.erase(report.keys.begin());
  report.keys.resize(1);
  EXPECT_THAT(FormatTable(report, false), HasSubstr("nothing is missing"));
}

TEST(FormatTable, TellsProblems) {
  Report report = SampleReport();
  report.keys[1].state = KeyState::kConflict;
  report.keys[1].problem = "different values in Vault: a, b";
  report.problems.emplace_back("web: reads from another Vault");
  const std::string text = FormatTable(report, false);
  EXPECT_THAT(text,
              HasSubstr("Not done:\n  conflict: secret/harness/web/env-secrets OLD: "
                        "different values in Vault: a, b\n  web: reads from another Vault\n"));
  EXPECT_THAT(text, HasSubstr("2 problems"));
}

TEST(FormatJson, IsForPrograms) {
  Report report = SampleReport();
  report.staying.push_back({"db", UseKind::kEnv, "P", SourceOf("db", "p")});
  report.dynamic.push_back({"web", "pg", "database", "r"});
  const auto json = vaultcore::Json::Parse(FormatJson(report));
  ASSERT_TRUE(json.ok());
  EXPECT_EQ((*json)["format"].AsText(), "vaultcore-report/1");
  ASSERT_EQ((*json)["keys"].items().size(), 3u);
  const vaultcore::Json& key = (*json)["keys"].items()[0];
  EXPECT_EQ(key["class"].AsText(), "generated");
  EXPECT_EQ(key["state"].AsText(), "written");
  EXPECT_EQ(key["version"].AsInt(), 2);
  EXPECT_EQ((*json)["kubernetes"].items()[0]["source"].AsText(), "db/p");
  EXPECT_EQ((*json)["dynamic"].items()[0]["path"].AsText(), "database/creds/r");
}

TEST(Commands, AreSafeForTheShell) {
  EXPECT_EQ(ShellWord("plain/word-1.x"), "plain/word-1.x");
  EXPECT_EQ(ShellWord("a b"), "'a b'");
  EXPECT_EQ(ShellWord("a'b"), "'a'\\''b'");
  EXPECT_EQ(ShellWord(""), "''");
}

TEST(Commands, AddAKeyFromStandardInput) {
  const Place place{Ref("secret", "harness/web/env-secrets"), "KEY"};
  EXPECT_EQ(AddKeyCommand(place, true, false),
            "vault kv patch -method=rw -mount=secret harness/web/env-secrets KEY=-");
  EXPECT_EQ(AddKeyCommand(place, false, false),
            "vault kv put -cas=0 -mount=secret harness/web/env-secrets KEY=-");
  EXPECT_EQ(AddKeyCommand(place, false, true),
            "vault kv put -mount=secret harness/web/env-secrets KEY=-");
  EXPECT_THAT(AddKeyCommand(place, true, true),
              testing::AllOf(HasSubstr("--input-json"), Not(HasSubstr("kv put"))));
}

TEST(Commands, ReadASecretFromTheCluster) {
  EXPECT_EQ(ReadSecretCommand(SourceOf("web-tls", "ca.crt")),
            "kubectl get secret web-tls -n default -o 'jsonpath={.data.ca\\.crt}' | base64 -d");
}

TEST(Commands, ReadWhatATlsKeyNeeds) {
  EXPECT_EQ(ReadFileCommand("caFile"), "cat PEM_FILE | ");
  EXPECT_EQ(ReadFileCommand("trustStore"), "base64 -w 0 STORE_FILE | ");
  EXPECT_EQ(ReadFileCommand("trustStorePassword"), "");
}

TEST(MakeReport, OrdersTheCommandsSoThatEachWorks) {
  // Two keys of an entry that does not exist: the first makes it, the second adds to it.
  const std::string env = "        env:\n" + EnvLine("A", "s", "a") + EnvLine("B", "s", "b");
  const Rendering off = Read(SecretYaml("web", "s", "{a: '', b: ''}") + Deployment("web", env));
  const Rendering on = Read(Deployment("web", "") + LoaderYaml("web", "web"));
  const auto needs = FindNeeds(off, on, SampleDefaults());
  ASSERT_TRUE(needs.ok());
  const Decisions decisions = Decide(*needs, off, off, {});
  Mint mint(decisions.tokens, CountingBytes());
  UploadOutcome outcome;
  outcome.plan = *MakePlan(*needs, decisions, {}, mint);
  const Report report = MakeReport({}, *needs, decisions, outcome);
  ASSERT_EQ(report.keys.size(), 2u);
  EXPECT_THAT(report.keys[0].command, HasSubstr("kv put -cas=0"));
  EXPECT_THAT(report.keys[1].command, HasSubstr("kv patch"));
  EXPECT_EQ(report.keys[0].reason, Reason::kEmpty);
}

}  // namespace
}  // namespace generator
