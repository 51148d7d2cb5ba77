#include "vaultcore/model/layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/status_matchers.h"

namespace vaultcore {
namespace {

using testing::HasSubstr;
using testing::Property;

auto Is(const char* text) { return IsOkAndHolds(Property(&SecretRef::ToString, text)); }

TEST(LayoutTest, PathsOfTheGuide) {
  const auto layout = SecretLayout::Create("secret", "harness");
  ASSERT_THAT(layout, IsOk());
  EXPECT_EQ(layout->mount().text(), "secret");
  EXPECT_THAT(layout->EnvSecrets("log-service"), Is("secret/harness/log-service/env-secrets"));
  EXPECT_THAT(layout->FileSecrets("log-service"), Is("secret/harness/log-service/file-secrets"));
  EXPECT_THAT(layout->Database("postgres"), Is("secret/harness/postgres"));
  EXPECT_THAT(layout->Database("external/postgres"), Is("secret/harness/external/postgres"));
}

TEST(LayoutTest, TheBasePathMayBeEmptyOrDeep) {
  for (const char* base : {"", "/"}) {
    const auto layout = SecretLayout::Create("secret/", base);
    ASSERT_THAT(layout, IsOk());
    EXPECT_THAT(layout->EnvSecrets("x"), Is("secret/x/env-secrets"));
    EXPECT_THAT(layout->Database("mongo"), Is("secret/mongo"));
  }
  const auto deep = SecretLayout::Create("team/kv", "/a/b/");
  ASSERT_THAT(deep, IsOk());
  EXPECT_THAT(deep->FileSecrets("x"), Is("team/kv/a/b/x/file-secrets"));
}

TEST(LayoutTest, ErrorsSayWhichSetting) {
  EXPECT_THAT(SecretLayout::Create("", "harness"),
              StatusIs(ErrorKind::kUsage, HasSubstr("engine")));
  EXPECT_THAT(SecretLayout::Create("secret", "a//b"),
              StatusIs(ErrorKind::kUsage, HasSubstr("basePath")));
  const auto layout = SecretLayout::Create("secret", "harness");
  ASSERT_THAT(layout, IsOk());
  EXPECT_THAT(layout->EnvSecrets(""), StatusIs(ErrorKind::kUsage));
  EXPECT_THAT(layout->FileSecrets(".."), StatusIs(ErrorKind::kUsage));
  EXPECT_THAT(layout->Database("../other"), StatusIs(ErrorKind::kUsage));
}

TEST(LayoutTest, FileKeysAreKnownByExtension) {
  for (const char* key : {"ca.crt", "tls.PEM", "a.b.key", "trust.jks", "store.p12", ".crt"}) {
    EXPECT_TRUE(IsFileKey(key)) << key;
  }
  for (const char* key : {"", "crt", "LICENSE_KEY", "ca.crt.bak", "a.pub", "a.p123", "key"}) {
    EXPECT_FALSE(IsFileKey(key)) << key;
  }
}

TEST(LayoutTest, EnvironmentNames) {
  for (const char* name : {"A", "_", "MONGODB_USER", "a1_B2", "__"}) {
    EXPECT_TRUE(IsEnvironmentName(name)) << name;
  }
  for (const char* name : {"", "1A", "A-B", "A.B", "A B", "A=", "\xC3\x84", "A\n"}) {
    EXPECT_FALSE(IsEnvironmentName(name)) << name;
  }
}

}  // namespace
}  // namespace vaultcore
