#include "vaultcore/base/secret.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstring>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>

namespace vaultcore {
namespace {

static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(std::is_nothrow_move_constructible_v<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);

TEST(SecretTest, HoldsAnyBytes) {
  const std::string_view bytes("a\0b\xFF", 4);
  const Secret secret = Secret::CopyOf(bytes);
  EXPECT_EQ(secret.Reveal(), bytes);
  EXPECT_EQ(secret.size(), 4u);
  EXPECT_FALSE(secret.empty());
  EXPECT_TRUE(Secret().empty());
  EXPECT_TRUE(Secret::CopyOf("").Reveal().empty());
}

TEST(SecretTest, TakeAndWipeLeavesNothingInTheSource) {
  for (std::string source : {std::string("short"), std::string(100, 'x')}) {
    const std::string expected = source;
    const char* const buffer = source.data();
    const Secret secret = Secret::TakeAndWipe(source);
    EXPECT_EQ(secret.Reveal(), expected);
    EXPECT_TRUE(source.empty());
    ASSERT_EQ(source.data(), buffer);
    source.resize(expected.size());
    EXPECT_EQ(source, std::string(expected.size(), '\0'));
  }
}

TEST(SecretTest, TakeAndWipeReachesWhatALongerContentLeft) {
  std::string source = std::string(200, 'x');
  source.resize(10);
  const char* const buffer = source.data();
  const Secret secret = Secret::TakeAndWipe(source);
  EXPECT_EQ(secret.size(), 10u);
  ASSERT_GE(source.capacity(), 200u);
  // The string's buffer is the string's own up to its capacity.
  EXPECT_EQ(std::memchr(buffer, 'x', source.capacity()), nullptr);
}

TEST(SecretTest, MovingLeavesTheSourceEmpty) {
  Secret a = Secret::CopyOf("one");
  Secret b = std::move(a);
  EXPECT_EQ(b.Reveal(), "one");
  EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
  Secret c = Secret::CopyOf("two");
  c = std::move(b);
  EXPECT_EQ(c.Reveal(), "one");
  Secret& same = c;
  c = std::move(same);
  EXPECT_EQ(c.Reveal(), "one");
}

TEST(SecretTest, CloneIsASecondCopy) {
  const Secret a = Secret::CopyOf("one");
  const Secret b = a.Clone();
  EXPECT_TRUE(a == b);
  EXPECT_NE(a.Reveal().data(), b.Reveal().data());
}

TEST(SecretTest, ComparesByContent) {
  EXPECT_TRUE(Secret::CopyOf("abc") == Secret::CopyOf("abc"));
  EXPECT_FALSE(Secret::CopyOf("abc") == Secret::CopyOf("abd"));
  EXPECT_FALSE(Secret::CopyOf("abc") == Secret::CopyOf("ab"));
  const Secret nothing;
  EXPECT_TRUE(nothing == nothing.Clone());
}

TEST(SecretTest, PrintersShowTheSizeOnly) {
  EXPECT_EQ(testing::PrintToString(Secret::CopyOf("canary")), "<secret of 6 bytes>");
}

TEST(SecretTest, WipeMemoryZeroes) {
  char buffer[4] = {'a', 'b', 'c', 'd'};
  WipeMemory(buffer, 3);
  EXPECT_EQ(std::string_view(buffer, 4), std::string_view("\0\0\0d", 4));
  WipeMemory(nullptr, 0);
}

TEST(SecretBuilderTest, GrowsPieceByPiece) {
  SecretBuilder builder;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string piece = std::to_string(i);
    builder.Append(piece);
    builder.Append('-');
    expected += piece + "-";
  }
  EXPECT_EQ(builder.size(), expected.size());
  EXPECT_EQ(builder.Reveal(), expected);
  const Secret secret = builder.Take();
  EXPECT_EQ(secret.Reveal(), expected);
  EXPECT_EQ(builder.size(), 0u);
  builder.Append("again");
  EXPECT_EQ(builder.Take().Reveal(), "again");
  EXPECT_TRUE(builder.Take().empty());
}

TEST(SecretBuilderTest, ReserveKeepsTheContent) {
  SecretBuilder builder;
  builder.Append("abc");
  builder.Reserve(10000);
  builder.Reserve(1);
  const char* const before = builder.Reveal().data();
  builder.Append(std::string(9000, 'x'));
  EXPECT_EQ(builder.Reveal().data(), before);
  EXPECT_EQ(builder.Reveal().substr(0, 4), "abcx");
}

TEST(SecretBuilderTest, MovesLikeASecret) {
  SecretBuilder a;
  a.Append("one");
  SecretBuilder b = std::move(a);
  EXPECT_EQ(a.size(), 0u);  // NOLINT(bugprone-use-after-move): that is what is tested
  SecretBuilder c;
  c.Append("two");
  c = std::move(b);
  EXPECT_EQ(c.Take().Reveal(), "one");
}

TEST(SecretTest, CoreDumpsAreOff) {
  ASSERT_TRUE(DisableCoreDumps());
  rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_CORE, &limit), 0);
  EXPECT_EQ(limit.rlim_cur, 0u);
  EXPECT_EQ(limit.rlim_max, 0u);
}

}  // namespace
}  // namespace vaultcore
