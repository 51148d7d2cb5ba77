// Brings a plan into Vault, and keeps it true while others write. The Vault is a small interface,
// so that the order of work is tested without one.

#ifndef APPS_GENERATOR_UPLOAD_H_
#define APPS_GENERATOR_UPLOAD_H_

#include <functional>
#include <map>
#include <set>
#include <vector>

#include "generator/plan.h"
#include "vaultcore/base/status.h"
#include "vaultcore/client/client.h"

namespace generator {

// Entries in Vault. Results in input order, each with its own error, as in vaultcore::Client.
class EntryStore {
 public:
  using OnWritten = std::function<void(size_t, const vaultcore::StatusOr<uint64_t>&)>;

  virtual ~EntryStore() = default;
  virtual std::vector<vaultcore::StatusOr<vaultcore::KvEntry>> ReadMany(
      const std::vector<vaultcore::SecretRef>& refs) = 0;
  virtual std::vector<vaultcore::StatusOr<uint64_t>> WriteMany(
      const std::vector<vaultcore::KvWrite>& writes, const OnWritten& on_done) = 0;
  // False for KV v1: what it holds is read again right before a write.
  virtual bool HasCheckAndSet(const vaultcore::Mount& mount) = 0;
};

struct UploadOutcome {
  Plan plan;                                         // the last one made
  Existing existing;                                 // what Vault holds now, as far as known
  std::map<vaultcore::SecretRef, uint64_t> written;  // entry: its new version (0 on KV v1)
  std::set<size_t> written_needs;                    // the needs that were written
  std::set<vaultcore::SecretRef> created;            // of those written: not there before
  vaultcore::Status status;                          // why it ended early; OK when it did not
  bool without_check_and_set = false;                // something was written to KV v1
};

struct UploadProgress {
  std::function<void(size_t entries)> reading;             // may be empty
  std::function<void(size_t done, size_t total)> writing;  // may be empty
  std::function<void()> lost_race;                         // may be empty
};

// All entries, each once. Errors: the first, which names its entry.
vaultcore::StatusOr<Existing> ReadAll(EntryStore& store,
                                      const std::vector<vaultcore::SecretRef>& refs);

// Makes plans with `make_plan` (of what Vault holds) and writes them until there is nothing left to
// write. A lost race is read again and planned again, a bounded number of times. `existing` is what
// ReadAll found.
UploadOutcome Upload(EntryStore& store, Existing existing,
                     const std::function<vaultcore::StatusOr<Plan>(const Existing&)>& make_plan,
                     const UploadProgress& progress);

}  // namespace generator

#endif  // APPS_GENERATOR_UPLOAD_H_
