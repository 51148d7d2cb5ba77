// KV v1 and v2: entries, and the requests and answers that read and write them. Pure; thread-safe.
// Sources: developer.hashicorp.com/vault/api-docs/secret/kv/kv-v1 and kv-v2.

#ifndef VAULTCORE_API_KV_H_
#define VAULTCORE_API_KV_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "vaultcore/api/http.h"
#include "vaultcore/api/json.h"
#include "vaultcore/model/kv_mapper.h"

namespace vaultcore {

// The keys and values of one entry, sorted by key.
using KvData = std::map<std::string, Json, std::less<>>;

// Copies are explicit because values are secrets.
KvData CloneKvData(const KvData& data);

// A value as an environment variable or a file holds it: a string's bytes; a number's exact text;
// "true" or "false"; "" for null; compact JSON for arrays and objects.
Secret KvText(const Json& value);

// What a read found. On v2 a soft-deleted or destroyed version is not an absent entry: it still
// counts versions.
struct KvEntry {
  enum class State { kPresent, kAbsent, kDeleted, kDestroyed };

  State state = State::kAbsent;
  KvData data;  // empty unless kPresent
  uint64_t version =
      0;  // of the current version on v2 (also when deleted); 0 on v1 and when absent
  std::string created_time;
  std::string deletion_time;
  std::map<std::string, std::string> custom_metadata;
  std::vector<std::string> warnings;  // Vault's own

  bool present() const { return state == State::kPresent; }
};

// Check-and-set on KV v2: the write happens only if the entry's current version is `version`; 0:
// only if it was never written.
struct CheckAndSet {
  uint64_t version = 0;
};

// OK when the mount would keep every key and value as it is. kUsage, naming the key, where Vault
// would change one without a word: text that is not UTF-8, and on v2 a number that a double does
// not hold to the letter (1.10, 12345678901234567890). Client::Write asks before it writes.
Status CheckKvData(const KvMount& mount, const KvData& data);

HttpRequest BuildKvRead(const KvMount& mount, const SecretPath& path);
// `cas` is ignored on v1, which has none (the server would ignore it too).
HttpRequest BuildKvWrite(const KvMount& mount, const SecretPath& path, const KvData& data,
                         std::optional<CheckAndSet> cas);
HttpRequest BuildKvList(const KvMount& mount, const SecretPath& folder);
// v2 only: replaces custom_metadata.
HttpRequest BuildKvWriteMetadata(const KvMount& mount, const SecretPath& path,
                                 const std::map<std::string, std::string>& custom_metadata);
// v2 only: current version, max_versions, cas_required.
HttpRequest BuildKvReadMetadata(const KvMount& mount, const SecretPath& path);

// The entry, from any answer that tells about one: 200, and 404 with or without metadata. Other
// statuses: InterpretError.
StatusOr<KvEntry> ParseKvRead(const KvMount& mount, const SecretPath& path,
                              const HttpResponse& response);
// The new version (0 on v1). A failed check-and-set (HTTP 400) is kConflict.
StatusOr<uint64_t> ParseKvWrite(const KvMount& mount, const SecretPath& path,
                                const HttpResponse& response);
// OK when custom_metadata was replaced.
Status ParseKvWriteMetadata(const KvMount& mount, const SecretPath& path,
                            const HttpResponse& response);
// Names below the folder; those of folders end with '/'. An absent folder (404) is empty.
StatusOr<std::vector<std::string>> ParseKvList(const KvMount& mount, const SecretPath& folder,
                                               const HttpResponse& response);

struct KvEntryMetadata {
  uint64_t current_version = 0;
  bool cas_required = false;
  int64_t max_versions = 0;
  std::map<std::string, std::string> custom_metadata;
};
// nullopt: there is no such entry (404).
StatusOr<std::optional<KvEntryMetadata>> ParseKvReadMetadata(const KvMount& mount,
                                                             const SecretPath& path,
                                                             const HttpResponse& response);

}  // namespace vaultcore

#endif  // VAULTCORE_API_KV_H_
