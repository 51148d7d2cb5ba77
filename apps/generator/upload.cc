#include "generator/upload.h"

#include <algorithm>
#include <utility>

namespace generator {
namespace {

using vaultcore::ErrorKind;
using vaultcore::KvEntry;
using vaultcore::KvWrite;
using vaultcore::MakeError;
using vaultcore::SecretRef;
using vaultcore::Status;
using vaultcore::StatusOr;

constexpr int kMaxPlans = 10;

KvWrite ToKvWrite(const Write& write, bool check_and_set) {
  KvWrite result{write.ref, vaultcore::CloneKvData(write.data), std::nullopt};
  if (check_and_set) result.cas = vaultcore::CheckAndSet{write.based_on};
  return result;
}

bool SameData(const KvEntry& a, const KvEntry& b) {
  return a.state == b.state && std::equal(a.data.begin(), a.data.end(), b.data.begin(),
                                          b.data.end(), [](const auto& x, const auto& y) {
                                            return x.first == y.first && x.second == y.second;
                                          });
}

class Uploader {
 public:
  Uploader(EntryStore& store, Existing existing, const UploadProgress& progress)
      : store_(store), progress_(progress) {
    outcome_.existing = std::move(existing);
  }

  UploadOutcome Run(const std::function<StatusOr<Plan>(const Existing&)>& make_plan) {
    for (int round = 0; round < kMaxPlans; ++round) {
      if (round > 0 && !ReadAgain()) return std::move(outcome_);
      StatusOr<Plan> plan = make_plan(outcome_.existing);
      if (!plan.ok()) {
        outcome_.status = plan.status();
        return std::move(outcome_);
      }
      outcome_.plan = *std::move(plan);
      if (WritePlan() || !outcome_.status.ok()) return std::move(outcome_);
      if (progress_.lost_race) progress_.lost_race();
    }
    outcome_.status =
        MakeError(ErrorKind::kConflict, "somebody else keeps writing to the same entries",
                  "run it again when the other one has finished");
    return std::move(outcome_);
  }

 private:
  bool ReadAgain() {
    std::vector<SecretRef> refs;
    for (const auto& [ref, entry] : outcome_.existing) refs.push_back(ref);
    StatusOr<Existing> again = ReadAll(store_, refs);
    if (!again.ok()) {
      outcome_.status = again.status();
      return false;
    }
    outcome_.existing = *std::move(again);
    return true;
  }

  // True when all of the plan is written; false when a race was lost, or with a status set.
  bool WritePlan() {
    const Plan& plan = outcome_.plan;
    int top = -1;
    for (const Write& write : plan.writes) top = std::max(top, write.level);
    done_ = 0;
    for (int level = 0; level <= top; ++level) {
      std::vector<const Write*> writes;
      for (const Write& write : plan.writes) {
        if (write.level == level) writes.push_back(&write);
      }
      if (!WriteLevel(writes)) return false;
    }
    return true;
  }

  bool WriteLevel(const std::vector<const Write*>& writes) {
    std::vector<KvWrite> requests;
    std::vector<SecretRef> unguarded;
    for (const Write* write : writes) {
      const bool check_and_set = store_.HasCheckAndSet(write->ref.mount);
      if (!check_and_set) unguarded.push_back(write->ref);
      requests.push_back(ToKvWrite(*write, check_and_set));
    }
    if (!unguarded.empty() && !IsUnchanged(unguarded)) return false;
    ReportProgress();
    const std::vector<StatusOr<uint64_t>> results =
        store_.WriteMany(requests, [&](size_t, const StatusOr<uint64_t>& result) {
          if (!result.ok()) return;
          ++done_;
          ReportProgress();
        });
    bool complete = true;
    for (size_t i = 0; i < writes.size(); ++i) {
      if (results[i].ok()) {
        Record(*writes[i], *results[i]);
      } else {
        complete = false;
        RecordFailure(*writes[i], results[i].status());
      }
    }
    return complete;
  }

  bool IsUnchanged(const std::vector<SecretRef>& refs) {
    outcome_.without_check_and_set = true;
    StatusOr<Existing> now = ReadAll(store_, refs);
    if (!now.ok()) {
      outcome_.status = now.status();
      return false;
    }
    return std::all_of(refs.begin(), refs.end(), [&](const SecretRef& ref) {
      return SameData(now->at(ref), outcome_.existing[ref]);
    });
  }

  void Record(const Write& write, uint64_t version) {
    outcome_.written[write.ref] = version;
    if (!write.existed) outcome_.created.insert(write.ref);
    outcome_.written_needs.insert(write.rows.begin(), write.rows.end());
    KvEntry& entry = outcome_.existing[write.ref];
    entry.state = KvEntry::State::kPresent;
    entry.version = version;
    entry.data = vaultcore::CloneKvData(write.data);
  }

  // A lost race is no failure. Of several failures the first is told, but a cancellation only when
  // nothing else is wrong.
  void RecordFailure(const Write& write, const Status& status) {
    const ErrorKind kind = vaultcore::KindOf(status);
    if (kind == ErrorKind::kConflict) return;
    const bool better =
        outcome_.status.ok() || vaultcore::KindOf(outcome_.status) == ErrorKind::kCancelled;
    if (!better || (kind == ErrorKind::kCancelled && !outcome_.status.ok())) return;
    outcome_.status =
        vaultcore::MessageOf(status).find(write.ref.path.text()) == std::string_view::npos
            ? vaultcore::Annotate(status, write.ref.ToString())
            : status;
  }

  void ReportProgress() const {
    if (progress_.writing) progress_.writing(done_, outcome_.plan.writes.size());
  }

  EntryStore& store_;
  const UploadProgress& progress_;
  UploadOutcome outcome_;
  size_t done_ = 0;
};

}  // namespace

StatusOr<Existing> ReadAll(EntryStore& store, const std::vector<SecretRef>& refs) {
  std::vector<StatusOr<KvEntry>> entries = store.ReadMany(refs);
  Existing existing;
  for (size_t i = 0; i < refs.size(); ++i) {
    if (!entries[i].ok()) return entries[i].status();
    existing.emplace(refs[i], *std::move(entries[i]));
  }
  return existing;
}

UploadOutcome Upload(EntryStore& store, Existing existing,
                     const std::function<StatusOr<Plan>(const Existing&)>& make_plan,
                     const UploadProgress& progress) {
  return Uploader(store, std::move(existing), progress).Run(make_plan);
}

}  // namespace generator
