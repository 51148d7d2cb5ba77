#include "generator/bcrypt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/status_matchers.h"
#include "unit/generator/samples.h"

namespace generator {
namespace {

// Of "abc", as Helm's htpasswd makes them.
constexpr char kHash[] = "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i";

TEST(FindBcrypt, FindsAHashInsideAText) {
  const auto found = FindBcrypt(std::string("user:") + kHash + "\n");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->first, 5u);
  EXPECT_EQ(found->second, 65u);
  EXPECT_FALSE(FindBcrypt("$2a$06$tooshort").has_value());
  EXPECT_FALSE(FindBcrypt("costs $2 and $20").has_value());
}

TEST(BcryptMatches, KnowsThePassword) {
  EXPECT_TRUE(BcryptMatches("abc", kHash));
  EXPECT_FALSE(BcryptMatches("abd", kHash));
  EXPECT_FALSE(BcryptMatches("abc", "no hash"));
}

TEST(BcryptMatches, RefusesACostThatWouldTakeMinutes) {
  EXPECT_FALSE(
      BcryptMatches("abc", "$2a$31$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"));
}

TEST(BcryptLike, MakesAHashOfTheSameCost) {
  const auto hash = BcryptLike("new password", kHash, CountingBytes());
  ASSERT_THAT(hash, vaultcore::IsOk());
  EXPECT_THAT(std::string(hash->Reveal()), testing::StartsWith("$2a$06$"));
  EXPECT_TRUE(BcryptMatches("new password", hash->Reveal()));
  EXPECT_THAT(BcryptLike("x", kHash, [](unsigned char*, size_t) { return false; }),
              vaultcore::StatusIs(vaultcore::ErrorKind::kInternal));
}

}  // namespace
}  // namespace generator
