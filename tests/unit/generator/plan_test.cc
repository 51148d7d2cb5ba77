#include "generator/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "support/status_matchers.h"
#include "unit/generator/samples.h"

namespace generator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using vaultcore::ErrorKind;
using vaultcore::Json;
using vaultcore::KvEntry;
using vaultcore::StatusIs;

// Services a and b share a generated value; b also has a URL around it and a certificate.
struct World {
  World() {
    const std::string env = "        env:\n";
    const auto data = [](const std::string& x) {
      return "{r: " + x + "abcdABCD, only: " + x + "zzzzZZZZ, url: 'pg://u:" + x +
             "abcdABCD@h', crt: '-----BEGIN CERTIFICATE-----" + x + "', key: '-----BEGIN RSA-----" +
             x + "', e: ''}";
    };
    const std::string off =
        Deployment("a", env + EnvLine("R", "s", "r") + EnvLine("CRT", "s", "crt") +
                            EnvLine("LICENSE", "s", "e")) +
        Deployment("b", env + EnvLine("RR", "s", "r") + EnvLine("URL", "s", "url") +
                            EnvLine("KEY", "s", "key") + EnvLine("ONLY", "s", "only"));
    first = Read(SecretYaml("a", "s", data("1111")) + off);
    const Rendering second = Read(SecretYaml("a", "s", data("2222")) + off);
    const Rendering on = Read(Deployment("a", "") + Deployment("b", "") + LoaderYaml("a", "a") +
                              LoaderYaml("b", "b"));
    needs = *FindNeeds(first, on, SampleDefaults());
    decisions = Decide(needs, first, second, {});
  }

  Plan Make(const Existing& existing) {
    Mint mint(decisions.tokens, CountingBytes());
    vaultcore::StatusOr<Plan> plan = MakePlan(needs, decisions, existing, mint);
    EXPECT_THAT(plan, vaultcore::IsOk());
    return plan.ok() ? *std::move(plan) : Plan();
  }

  Row RowOf(const Plan& plan, const std::string& key) const {
    for (const Row& row : plan.rows) {
      if (needs.needs[row.need].place.key == key) return row;
    }
    ADD_FAILURE() << "no row " << key;
    return {};
  }
  static std::string ValueOf(const Plan& plan, const std::string& path, const std::string& key) {
    for (const Write& write : plan.writes) {
      if (write.ref.path.text() != path) continue;
      const auto value = write.data.find(key);
      return value == write.data.end() ? "" : std::string(value->second.AsText());
    }
    return "";
  }

  Rendering first;
  Needs needs;
  Decisions decisions;
};

const vaultcore::SecretRef kEntryA = Ref("secret", "harness/a/env-secrets");
const vaultcore::SecretRef kEntryB = Ref("secret", "harness/b/env-secrets");
constexpr char kPathA[] = "harness/a/env-secrets";
constexpr char kPathB[] = "harness/b/env-secrets";

void Put(Existing& existing, const vaultcore::SecretRef& ref, const std::string& key, Json value,
         uint64_t version = 3) {
  KvEntry& entry = existing[ref];
  entry.state = KvEntry::State::kPresent;
  entry.version = version;
  entry.data[key] = std::move(value);
}

TEST(MakePlan, IntoAnEmptyVaultGoesAllThatCanBeMade) {
  World world;
  const Plan plan = world.Make({});
  ASSERT_EQ(plan.writes.size(), 2u);
  const std::string shared = World::ValueOf(plan, kPathA, "R");
  EXPECT_EQ(shared.size(), 32u);
  EXPECT_EQ(World::ValueOf(plan, kPathB, "RR"), shared);
  EXPECT_EQ(World::ValueOf(plan, kPathB, "URL"), "pg://u:" + shared + "@h");
  EXPECT_EQ(World::ValueOf(plan, kPathA, "CRT"), "-----BEGIN CERTIFICATE-----1111");
  EXPECT_EQ(World::ValueOf(plan, kPathB, "KEY"), "-----BEGIN RSA-----1111");
  EXPECT_NE(World::ValueOf(plan, kPathB, "ONLY"), shared);
  EXPECT_EQ(world.RowOf(plan, "LICENSE").state, RowState::kByHand);
  EXPECT_EQ(plan.writes[0].based_on, 0u);
  EXPECT_FALSE(plan.writes[0].existed);
}

TEST(MakePlan, TheSecondTimeNothingIsWritten) {
  World world;
  Existing existing;
  for (const Write& write : world.Make({}).writes) {
    for (const auto& [key, value] : write.data) Put(existing, write.ref, key, value.Clone());
  }
  const Plan plan = world.Make(existing);
  EXPECT_THAT(plan.writes, IsEmpty());
  for (const Row& row : plan.rows) EXPECT_NE(row.state, RowState::kToWrite);
}

TEST(MakePlan, WhatIsThereStaysAndGoesToTheOthers) {
  World world;
  Existing existing;
  Put(existing, kEntryB, "RR", Json::String("there already"));
  Put(existing, kEntryB, "SIBLING", Json::RawNumber("1.10"));
  const Plan plan = world.Make(existing);
  EXPECT_EQ(world.RowOf(plan, "RR").state, RowState::kPresent);
  EXPECT_EQ(World::ValueOf(plan, kPathA, "R"), "there already");
  EXPECT_EQ(World::ValueOf(plan, kPathB, "RR"), "there already");
  EXPECT_EQ(World::ValueOf(plan, kPathB, "SIBLING"), "1.10");
  EXPECT_EQ(World::ValueOf(plan, kPathB, "URL"), "pg://u:there already@h");
  const Row row = world.RowOf(plan, "R");
  ASSERT_TRUE(row.taken_from.has_value());
  EXPECT_EQ(row.taken_from->entry, kEntryB);
  EXPECT_EQ(plan.writes[1].based_on, 3u);
}

TEST(MakePlan, AValueInsideAnotherIsTakenOutOfIt) {
  World world;
  Existing existing;
  Put(existing, kEntryB, "URL", Json::String("pg://u:inside@h"));
  const Plan plan = world.Make(existing);
  EXPECT_EQ(World::ValueOf(plan, kPathA, "R"), "inside");
  EXPECT_EQ(World::ValueOf(plan, kPathB, "RR"), "inside");
}

TEST(MakePlan, TwoDifferentValuesAreAConflict) {
  World world;
  Existing existing;
  Put(existing, kEntryA, "R", Json::String("one"));
  Put(existing, kEntryB, "RR", Json::String("two"));
  const Plan plan = world.Make(existing);
  EXPECT_EQ(world.RowOf(plan, "R").state, RowState::kConflict);
  EXPECT_EQ(world.RowOf(plan, "RR").state, RowState::kConflict);
  EXPECT_THAT(world.RowOf(plan, "R").problem, HasSubstr("harness/b/env-secrets RR"));
  EXPECT_EQ(World::ValueOf(plan, kPathA, "R"), "one");
  EXPECT_EQ(World::ValueOf(plan, kPathB, "RR"), "two");
}

TEST(MakePlan, AnEmptyValueStaysButIsNotHandedOn) {
  World world;
  Existing existing;
  Put(existing, kEntryA, "R", Json::String(""));
  const Plan plan = world.Make(existing);
  EXPECT_EQ(world.RowOf(plan, "R").state, RowState::kPresent);
  EXPECT_EQ(World::ValueOf(plan, kPathB, "RR").size(), 32u);
}

TEST(MakePlan, WhatPeopleAddedForOneServiceGoesToTheOthers) {
  World world;
  Existing existing;
  Put(existing, kEntryA, "LICENSE", Json::String("bought"));
  EXPECT_EQ(world.RowOf(world.Make(existing), "LICENSE").state, RowState::kPresent);
}

TEST(MakePlan, ADeletedEntryIsNotRevived) {
  for (const auto state : {KvEntry::State::kDeleted, KvEntry::State::kDestroyed}) {
    World world;
    Existing existing;
    existing[kEntryA].state = state;
    existing[kEntryA].version = 7;
    const Plan plan = world.Make(existing);
    EXPECT_EQ(world.RowOf(plan, "R").state, RowState::kBlocked);
    EXPECT_THAT(world.RowOf(plan, "R").problem, HasSubstr("version 7"));
    ASSERT_EQ(plan.writes.size(), 1u);
    EXPECT_EQ(plan.writes[0].ref, kEntryB);
  }
}

// A certificate from an earlier rendering and a key from this one would not match.
TEST(MakePlan, PartsOfDifferentRenderingsAreNotMixed) {
  World world;
  Existing existing;
  Put(existing, kEntryA, "CRT", Json::String("-----BEGIN CERTIFICATE-----0000"));
  const Plan plan = world.Make(existing);
  EXPECT_EQ(world.RowOf(plan, "KEY").state, RowState::kConflict);
  EXPECT_THAT(world.RowOf(plan, "KEY").problem, HasSubstr("harness/a/env-secrets CRT"));
  EXPECT_EQ(World::ValueOf(plan, kPathB, "KEY"), "");
  EXPECT_EQ(world.RowOf(plan, "RR").state, RowState::kToWrite);
}

TEST(MakePlan, WhoSharesAValueWaitsForTheEntryThatDecidesIt) {
  World world;
  const Plan plan = world.Make({});
  ASSERT_EQ(plan.writes.size(), 2u);
  EXPECT_EQ(plan.writes[0].level, 0);
  EXPECT_EQ(plan.writes[1].level, 1);
}

TEST(MakePlan, APlanMadeAgainKeepsItsValues) {
  World world;
  Mint mint(world.decisions.tokens, SystemRandomBytes());
  const auto one = MakePlan(world.needs, world.decisions, {}, mint);
  const auto two = MakePlan(world.needs, world.decisions, {}, mint);
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_EQ(World::ValueOf(*one, kPathA, "R"), World::ValueOf(*two, kPathA, "R"));
}

TEST(MakePlan, WithoutRandomnessThereIsNoPlan) {
  World world;
  Mint mint(world.decisions.tokens, [](unsigned char*, size_t) { return false; });
  EXPECT_THAT(MakePlan(world.needs, world.decisions, {}, mint), StatusIs(ErrorKind::kInternal));
}

TEST(EntriesOf, NamesEachOnce) {
  World world;
  EXPECT_THAT(EntriesOf(world.needs), ElementsAre(kEntryA, kEntryB));
}

}  // namespace
}  // namespace generator
