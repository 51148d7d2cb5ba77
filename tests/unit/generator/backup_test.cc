#include "generator/backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/status_matchers.h"
#include "unit/generator/samples.h"

namespace generator {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using vaultcore::ErrorKind;
using vaultcore::IsOk;
using vaultcore::Json;
using vaultcore::KvEntry;
using vaultcore::StatusIs;

const BackupTarget kTarget{"secret", "harness"};
const vaultcore::SecretRef kEntry = Ref("secret", "harness/web/env-secrets");

Existing OneEntry() {
  Existing existing;
  KvEntry& entry = existing[kEntry];
  entry.state = KvEntry::State::kPresent;
  entry.version = 4;
  entry.data["TEXT"] = Json::String("a\"b\n");
  entry.data["NUMBER"] = Json::RawNumber("1.10");
  existing[Ref("secret", "harness/gone/env-secrets")].state = KvEntry::State::kDeleted;
  return existing;
}

std::string PathsOf(const std::vector<vaultcore::KvWrite>& writes) {
  std::string paths;
  for (const vaultcore::KvWrite& write : writes) paths += write.ref.ToString() + ";";
  return paths;
}

TEST(Backup, ComesBackAsItWas) {
  const vaultcore::Secret text = FormatBackup(kTarget, OneEntry(), Plan());
  const auto entries = ParseBackup(text.Reveal(), "b.json", kTarget);
  ASSERT_THAT(entries, IsOk());
  ASSERT_EQ(entries->size(), 1u);
  EXPECT_EQ(entries->front().ref, kEntry);
  EXPECT_EQ(entries->front().data.at("TEXT").AsText(), "a\"b\n");
  EXPECT_EQ(entries->front().data.at("NUMBER").AsText(), "1.10");
}

TEST(Backup, HoldsWhatThePlanAdds) {
  Plan plan;
  Write write{kEntry, {0}, {}, 4, true, 0};
  write.data["NEW"] = Json::String("value");
  plan.writes.push_back(std::move(write));
  EXPECT_THAT(std::string(FormatBackup(kTarget, OneEntry(), plan).Reveal()),
              AllOf(HasSubstr("\"NEW\""), HasSubstr("vaultcore-backup/1")));
}

TEST(Backup, MovesToAnotherEngineAndBasePath) {
  const vaultcore::Secret text = FormatBackup(kTarget, OneEntry(), Plan());
  const auto entries = ParseBackup(text.Reveal(), "b.json", {"kv1", "other/base"});
  ASSERT_THAT(entries, IsOk());
  EXPECT_EQ(PathsOf(*entries), "kv1/other/base/web/env-secrets;");
}

TEST(ParseBackup, TakesAPlainFile) {
  for (const char* path : {"secret/harness/x/env-secrets", "harness/x/env-secrets",
                           "/secret/harness/x/env-secrets/"}) {
    const auto entries =
        ParseBackup("{\"" + std::string(path) + "\": {\"A\": \"1\"}}", "b.json", kTarget);
    ASSERT_THAT(entries, IsOk());
    EXPECT_EQ(PathsOf(*entries), "secret/harness/x/env-secrets;") << path;
  }
}

TEST(ParseBackup, RefusesWhatIsNoBackup) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{", "b.json"},
      {"[\"canary\"]", "no JSON object"},
      {"{\"format\": \"other/9\", \"entries\": {}}", "format"},
      {"{\"secret/harness/x\": \"canary\"}", "secret/harness/x"},
      {"{\"secret/harness/x\": {\"A\": {\"B\": \"canary\"}}}", "key A"},
      {"{\"secret/harness/x\": {\"A\": null}}", "key A"},
      {"{\"secret/other/x\": {\"A\": \"canary\"}}", "outside"},
      {"{\"other/harness/x\": {\"A\": \"canary\"}}", "outside"},
      {"{\"harness/x\": {\"A\": \"1\"}, \"secret/harness/x\": {\"A\": \"2\"}}", "twice"},
  };
  for (const auto& [text, words] : cases) {
    EXPECT_THAT(ParseBackup(text, "b.json", kTarget),
                StatusIs(ErrorKind::kUsage, AllOf(HasSubstr(words), Not(HasSubstr("canary")))))
        << text;
  }
  EXPECT_THAT(ParseBackup("{\"secret/harness/../x\": {\"A\": \"1\"}}", "b.json", kTarget),
              StatusIs(ErrorKind::kUsage));
}

TEST(Restore, AddsWhatIsMissingAndChangesNothing) {
  std::vector<vaultcore::KvWrite> wanted;
  vaultcore::KvWrite write{kEntry, {}, std::nullopt};
  write.data["A"] = Json::String("1");
  write.data["B"] = Json::String("2");
  write.data["C"] = Json::String("3");
  wanted.push_back(std::move(write));
  const Restore restore = MakeRestore(std::move(wanted));
  EXPECT_EQ(restore.needs.needs[0].service, "web");
  EXPECT_EQ(restore.needs.needs[0].kind, EntryKind::kEnv);

  Existing existing;
  KvEntry& entry = existing[kEntry];
  entry.state = KvEntry::State::kPresent;
  entry.version = 2;
  entry.data["A"] = Json::String("1");
  entry.data["B"] = Json::String("other");
  entry.data["OWN"] = Json::String("x");
  const Plan plan = restore.MakePlan(existing);
  EXPECT_EQ(plan.rows[0].state, RowState::kPresent);
  EXPECT_EQ(plan.rows[1].state, RowState::kConflict);
  EXPECT_EQ(plan.rows[2].state, RowState::kToWrite);
  ASSERT_EQ(plan.writes.size(), 1u);
  EXPECT_EQ(plan.writes[0].data.at("B").AsText(), "other");
  EXPECT_EQ(plan.writes[0].data.at("C").AsText(), "3");
  EXPECT_TRUE(plan.writes[0].data.contains("OWN"));
  EXPECT_EQ(plan.writes[0].based_on, 2u);
}

TEST(Restore, DoesNotReviveADeletedEntry) {
  std::vector<vaultcore::KvWrite> wanted;
  vaultcore::KvWrite write{kEntry, {}, std::nullopt};
  write.data["A"] = Json::String("1");
  wanted.push_back(std::move(write));
  const Restore restore = MakeRestore(std::move(wanted));
  Existing existing;
  existing[kEntry].state = KvEntry::State::kDeleted;
  const Plan plan = restore.MakePlan(existing);
  EXPECT_EQ(plan.rows[0].state, RowState::kBlocked);
  EXPECT_TRUE(plan.writes.empty());
}

}  // namespace
}  // namespace generator
