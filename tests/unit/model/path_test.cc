#include "vaultcore/model/path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <type_traits>

#include "support/status_matchers.h"

namespace vaultcore {
namespace {

using testing::HasSubstr;
using testing::Property;

static_assert(!std::is_convertible_v<Mount, SecretPath> &&
              !std::is_convertible_v<SecretPath, Mount>);
static_assert(!std::is_constructible_v<Mount, std::string>);

TEST(MountTest, SlashesAroundAreDropped) {
  EXPECT_THAT(Mount::Parse("secret"), IsOkAndHolds(Property(&Mount::text, "secret")));
  EXPECT_THAT(Mount::Parse("/team/kv//"), IsOkAndHolds(Property(&Mount::text, "team/kv")));
}

TEST(SecretPathTest, KeepsWhatVaultAllows) {
  for (const char* text : {"harness/log-service/env-secrets", "a b", "with.dot/..x/x..", "%2F?#",
                           "caf\xC3\xA9", "\xC2\xA0"}) {
    EXPECT_THAT(SecretPath::Parse(text), IsOkAndHolds(Property(&SecretPath::text, text)));
  }
}

TEST(SecretPathTest, RefusesWhatCannotBeAPath) {
  const struct {
    std::string text;
    const char* why;
  } cases[] = {
      {"", "is empty"},
      {"///", "is empty"},
      {"a//b", "empty segment"},
      {".", "\".\" or \"..\""},
      {"a/../b", "\".\" or \"..\""},
      {"a/..", "\".\" or \"..\""},
      {"./a", "\".\" or \"..\""},
      {"a\nb", "control character"},
      {std::string("a\0b", 3), "control character"},
      {"a\x7F", "control character"},
      {"a\xC2\x85", "control character"},
      {"a\xFF", "UTF-8"},
      {"a\xC2", "UTF-8"},
  };
  for (const auto& [text, why] : cases) {
    EXPECT_THAT(SecretPath::Parse(text), StatusIs(ErrorKind::kUsage, HasSubstr(why))) << text;
    EXPECT_THAT(Mount::Parse(text), StatusIs(ErrorKind::kUsage, HasSubstr(why))) << text;
  }
}

TEST(SecretPathTest, ErrorsSayWhichPath) {
  EXPECT_THAT(SecretPath::Parse("a//b"), StatusIs(ErrorKind::kUsage, HasSubstr("secret path")));
  EXPECT_THAT(Mount::Parse("a//b"), StatusIs(ErrorKind::kUsage, HasSubstr("mount path \"a//b\"")));
}

TEST(SecretPathTest, ChildJoinsAndValidates) {
  const auto path = SecretPath::Parse("harness");
  ASSERT_THAT(path, IsOk());
  EXPECT_THAT(path->Child("/x/y/"), IsOkAndHolds(Property(&SecretPath::text, "harness/x/y")));
  EXPECT_THAT(path->Child(""), StatusIs(ErrorKind::kUsage));
  EXPECT_THAT(path->Child("../other"), StatusIs(ErrorKind::kUsage));
}

TEST(SecretRefTest, ReadsAsPeopleWriteItAndCompares) {
  const SecretRef a{*Mount::Parse("secret"), *SecretPath::Parse("a")};
  const SecretRef b{*Mount::Parse("secret"), *SecretPath::Parse("b")};
  EXPECT_EQ(a.ToString(), "secret/a");
  EXPECT_LT(a, b);
  EXPECT_EQ(a, a);
}

}  // namespace
}  // namespace vaultcore
