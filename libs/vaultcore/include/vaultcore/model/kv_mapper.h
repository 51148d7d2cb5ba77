// The KV mapper: from a mount, its version and a logical path to the paths of Vault's HTTP API, and
// to the paths that policies name. Pure; thread-safe. Sources:
// developer.hashicorp.com/vault/api-docs/secret/kv/kv-v1 and kv-v2.

#ifndef VAULTCORE_MODEL_KV_MAPPER_H_
#define VAULTCORE_MODEL_KV_MAPPER_H_

#include <string>

#include "vaultcore/model/path.h"

namespace vaultcore {

enum class KvVersion { kV1 = 1, kV2 = 2 };

// A KV mount whose version is known.
struct KvMount {
  Mount mount;
  KvVersion version;
};

// Paths below "/v1/", not yet percent-encoded: "secret/data/harness/x" on v2, "secret/harness/x" on
// v1. They are at the same time the paths that a policy has to allow.
std::string KvDataPath(const KvMount& mount, const SecretPath& path);
// The entry's metadata on v2. On v1, which has none, the data path.
std::string KvMetadataPath(const KvMount& mount, const SecretPath& path);
// What LIST is asked for: metadata on v2.
std::string KvListPath(const KvMount& mount, const SecretPath& folder);

}  // namespace vaultcore

#endif  // VAULTCORE_MODEL_KV_MAPPER_H_
