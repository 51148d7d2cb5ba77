#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/status_matchers.h"
#include "unit/auth/scripted_exchange.h"

namespace vaultcore {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(TokenAuthTest, GivesTheTokenWithoutAsking) {
  const auto auth = MakeTokenAuth(Secret::CopyOf(" \n hvs.abc-_.123\r\n"));
  ASSERT_THAT(auth, IsOk());
  ScriptedExchange vault;
  for (int i = 0; i < 2; ++i) {
    const auto token = vault.Login(**auth);
    ASSERT_THAT(token, IsOk());
    EXPECT_EQ(token->token.Reveal(), "hvs.abc-_.123");
    // It is not ours: it is not revoked.
    EXPECT_FALSE(token->owned);
  }
  EXPECT_TRUE(vault.requests().empty());
  EXPECT_FALSE((*auth)->CanRelogin());
  EXPECT_EQ((*auth)->Describe(), "token");
}

TEST(TokenAuthTest, RefusesWhatIsNoToken) {
  for (const std::string_view text : {"", " ", "\n\t"}) {
    EXPECT_THAT(MakeTokenAuth(Secret::CopyOf(text)),
                StatusIs(ErrorKind::kAuth, "there is no Vault token"));
  }
  for (const std::string_view text : {"hvs.canary x", "hvs.canary\nhvs.b", "hvs.canary\x01",
                                      "hvs.canary\x7F", "hvs.canary\xC3\xA9"}) {
    EXPECT_THAT(MakeTokenAuth(Secret::CopyOf(text)),
                StatusIs(ErrorKind::kUsage, Not(HasSubstr("canary"))));
  }
}

}  // namespace
}  // namespace vaultcore
