#include "vaultcore/model/kv_mapper.h"

#include <gtest/gtest.h>

namespace vaultcore {
namespace {

// The paths are those of Vault's API documentation for KV v1 and v2.
TEST(KvMapperTest, VersionTwoHasAWordAfterTheMount) {
  const KvMount mount{*Mount::Parse("team/kv"), KvVersion::kV2};
  const SecretPath path = *SecretPath::Parse("harness/log-service/env-secrets");
  EXPECT_EQ(KvDataPath(mount, path), "team/kv/data/harness/log-service/env-secrets");
  EXPECT_EQ(KvMetadataPath(mount, path), "team/kv/metadata/harness/log-service/env-secrets");
  EXPECT_EQ(KvListPath(mount, path), "team/kv/metadata/harness/log-service/env-secrets");
}

TEST(KvMapperTest, VersionOneHasNone) {
  const KvMount mount{*Mount::Parse("kv"), KvVersion::kV1};
  const SecretPath path = *SecretPath::Parse("harness/x");
  EXPECT_EQ(KvDataPath(mount, path), "kv/harness/x");
  EXPECT_EQ(KvMetadataPath(mount, path), "kv/harness/x");
  EXPECT_EQ(KvListPath(mount, path), "kv/harness/x");
}

// An entry may be called like the words of version 2.
TEST(KvMapperTest, AnEntryCalledDataIsOnlyAnEntry) {
  const KvMount mount{*Mount::Parse("secret"), KvVersion::kV2};
  EXPECT_EQ(KvDataPath(mount, *SecretPath::Parse("data/x")), "secret/data/data/x");
}

}  // namespace
}  // namespace vaultcore
