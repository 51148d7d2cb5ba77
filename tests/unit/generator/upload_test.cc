#include "generator/upload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "support/status_matchers.h"
#include "unit/generator/samples.h"

namespace generator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using vaultcore::ErrorKind;
using vaultcore::IsOk;
using vaultcore::Json;
using vaultcore::KvEntry;
using vaultcore::KvWrite;
using vaultcore::MakeError;
using vaultcore::SecretRef;
using vaultcore::StatusIs;
using vaultcore::StatusOr;

const SecretRef kA = Ref("secret", "a");
const SecretRef kB = Ref("secret", "b");

KvEntry CloneEntry(const KvEntry& entry) {
  KvEntry copy;
  copy.state = entry.state;
  copy.version = entry.version;
  copy.data = vaultcore::CloneKvData(entry.data);
  return copy;
}

// A Vault in memory. `before_write` is called before each write: the other one at work.
class FakeStore : public EntryStore {
 public:
  std::vector<StatusOr<KvEntry>> ReadMany(const std::vector<SecretRef>& refs) override {
    std::vector<StatusOr<KvEntry>> results;
    for (const SecretRef& ref : refs) {
      ++reads;
      if (!read_error.ok()) {
        results.emplace_back(read_error);
      } else {
        results.emplace_back(CloneEntry(entries[ref]));
      }
    }
    return results;
  }

  std::vector<StatusOr<uint64_t>> WriteMany(const std::vector<KvWrite>& writes,
                                            const OnWritten& on_done) override {
    std::vector<StatusOr<uint64_t>> results;
    for (const KvWrite& write : writes) {
      if (before_write) before_write(write);
      results.push_back(WriteOne(write));
      on_done(results.size() - 1, results.back());
    }
    return results;
  }

  bool HasCheckAndSet(const vaultcore::Mount&) override { return check_and_set; }

  void Set(const SecretRef& ref, const std::string& key, const std::string& value) {
    KvEntry& entry = entries[ref];
    entry.state = KvEntry::State::kPresent;
    ++entry.version;
    entry.data[key] = Json::String(std::string_view(value));
  }

  std::map<SecretRef, KvEntry> entries;
  std::map<SecretRef, vaultcore::Status> write_errors;
  vaultcore::Status read_error;
  std::function<void(const KvWrite&)> before_write;
  bool check_and_set = true;
  int reads = 0;
  std::vector<std::string> log;

 private:
  StatusOr<uint64_t> WriteOne(const KvWrite& write) {
    if (const auto error = write_errors.find(write.ref); error != write_errors.end()) {
      return error->second;
    }
    KvEntry& entry = entries[write.ref];
    if (write.cas.has_value() != check_and_set) ADD_FAILURE() << "check-and-set on the wrong KV";
    if (write.cas.has_value() && write.cas->version != entry.version) {
      log.push_back("lost " + write.ref.path.text());
      return MakeError(ErrorKind::kConflict, "lost");
    }
    log.push_back("wrote " + write.ref.path.text());
    entry.state = KvEntry::State::kPresent;
    entry.data = vaultcore::CloneKvData(write.data);
    ++entry.version;
    return entry.version;
  }
};

// Wants key K in a and then in b, with the value that is there, else "new".
StatusOr<Plan> PlanShared(const Existing& existing) {
  std::string value = "new";
  for (const auto& [ref, entry] : existing) {
    const auto found = entry.data.find("K");
    if (found != entry.data.end()) value = found->second.AsText();
  }
  Plan plan;
  size_t need = 0;
  for (const auto& [ref, entry] : existing) {
    if (!entry.data.contains("K")) {
      Write write{ref,           {need},          vaultcore::CloneKvData(entry.data),
                  entry.version, entry.present(), static_cast<int>(need)};
      write.data["K"] = Json::String(std::string_view(value));
      plan.writes.push_back(std::move(write));
    }
    ++need;
  }
  return plan;
}

UploadOutcome RunUpload(FakeStore& store, const UploadProgress& progress = {}) {
  StatusOr<Existing> existing = ReadAll(store, {kA, kB});
  EXPECT_THAT(existing, IsOk());
  return Upload(store, *std::move(existing), PlanShared, progress);
}

TEST(Upload, WritesLevelByLevelAndReadsNothingAgain) {
  FakeStore store;
  const UploadOutcome outcome = RunUpload(store);
  EXPECT_THAT(outcome.status, IsOk());
  EXPECT_THAT(store.log, ElementsAre("wrote a", "wrote b"));
  EXPECT_THAT(outcome.written_needs, ElementsAre(0u, 1u));
  EXPECT_EQ(outcome.written.at(kA), 1u);
  EXPECT_EQ(store.reads, 2);
  EXPECT_EQ(outcome.existing.at(kB).data.at("K").AsText(), "new");
}

TEST(Upload, NothingToDoWritesNothing) {
  FakeStore store;
  store.Set(kA, "K", "there");
  store.Set(kB, "K", "there");
  const UploadOutcome outcome = RunUpload(store);
  EXPECT_THAT(outcome.status, IsOk());
  EXPECT_THAT(store.log, IsEmpty());
  EXPECT_THAT(outcome.written, IsEmpty());
}

// The other generator's value is taken over, and nothing of ours has been written anywhere.
TEST(Upload, ALostRaceIsPlannedAgain) {
  FakeStore store;
  bool once = true;
  store.before_write = [&](const KvWrite&) {
    if (std::exchange(once, false)) store.Set(kA, "K", "theirs");
  };
  int lost = 0;
  UploadProgress progress;
  progress.lost_race = [&] { ++lost; };
  const UploadOutcome outcome = RunUpload(store, progress);
  EXPECT_THAT(outcome.status, IsOk());
  EXPECT_EQ(lost, 1);
  EXPECT_THAT(store.log, ElementsAre("lost a", "wrote b"));
  EXPECT_EQ(store.entries[kB].data.at("K").AsText(), "theirs");
  EXPECT_THAT(outcome.written_needs, ElementsAre(1u));
}

TEST(Upload, SiblingsOfOthersSurviveALostRace) {
  FakeStore store;
  bool once = true;
  store.before_write = [&](const KvWrite& write) {
    if (write.ref == kB && std::exchange(once, false)) store.Set(kB, "THEIRS", "x");
  };
  const UploadOutcome outcome = RunUpload(store);
  EXPECT_THAT(outcome.status, IsOk());
  EXPECT_EQ(store.entries[kB].data.size(), 2u);
}

TEST(Upload, GivesUpWhenSomebodyKeepsWriting) {
  FakeStore store;
  store.before_write = [&](const KvWrite& write) { store.Set(write.ref, "OTHER", "x"); };
  const UploadOutcome outcome = RunUpload(store);
  EXPECT_THAT(outcome.status, StatusIs(ErrorKind::kConflict, HasSubstr("keeps writing")));
  EXPECT_THAT(outcome.written, IsEmpty());
}

TEST(Upload, AFailureStopsBeforeTheNextLevelAndNamesTheEntry) {
  FakeStore store;
  store.write_errors[kA] = MakeError(ErrorKind::kPermission, "permission denied");
  const UploadOutcome outcome = RunUpload(store);
  EXPECT_THAT(outcome.status, StatusIs(ErrorKind::kPermission, HasSubstr("secret/a")));
  EXPECT_THAT(store.log, IsEmpty());
}

TEST(Upload, WhatWasWrittenBeforeAFailureIsKnown) {
  FakeStore store;
  store.write_errors[kB] = MakeError(ErrorKind::kCancelled, "interrupted");
  const UploadOutcome outcome = RunUpload(store);
  EXPECT_THAT(outcome.status, StatusIs(ErrorKind::kCancelled));
  EXPECT_THAT(outcome.written_needs, ElementsAre(0u));
}

TEST(Upload, WithoutCheckAndSetItReadsAgainRightBefore) {
  FakeStore store;
  store.check_and_set = false;
  const UploadOutcome outcome = RunUpload(store);
  EXPECT_THAT(outcome.status, IsOk());
  EXPECT_TRUE(outcome.without_check_and_set);
  EXPECT_EQ(store.reads, 4);
}

TEST(Upload, WithoutCheckAndSetAChangeSeenInTimeIsMerged) {
  FakeStore store;
  store.check_and_set = false;
  StatusOr<Existing> existing = ReadAll(store, {kA, kB});
  ASSERT_THAT(existing, IsOk());
  store.Set(kA, "K", "theirs");
  const UploadOutcome outcome = Upload(store, *std::move(existing), PlanShared, {});
  EXPECT_THAT(outcome.status, IsOk());
  EXPECT_THAT(store.log, ElementsAre("wrote b"));
  EXPECT_EQ(store.entries[kB].data.at("K").AsText(), "theirs");
}

TEST(ReadAll, PassesTheFirstErrorOn) {
  FakeStore store;
  store.read_error = MakeError(ErrorKind::kPermission, "permission denied");
  EXPECT_THAT(ReadAll(store, {kA}), StatusIs(ErrorKind::kPermission));
}

}  // namespace
}  // namespace generator
