#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/status_matchers.h"
#include "unit/auth/scripted_exchange.h"

namespace vaultcore {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Secret Uuid(int number) {
  return Secret::CopyOf("00000000-0000-4000-8000-00000000000" + std::to_string(number));
}

std::unique_ptr<AuthMethod> AppRole(Secret secret_id, bool wrapped, const char* mount = "approle") {
  AppRoleCredentials credentials{*Mount::Parse(mount), Uuid(1), std::move(secret_id), wrapped};
  return MakeAppRoleAuth(std::move(credentials));
}

std::unique_ptr<AuthMethod> Wrapped() { return AppRole(Secret::CopyOf("hvs.golden1"), true); }

TEST(AppRoleAuthTest, LogsIn) {
  ScriptedExchange vault;
  vault.AnswerGolden("approle_login");
  vault.AnswerGolden("approle_login");
  const auto auth = AppRole(Uuid(2), false);
  EXPECT_EQ(auth->Describe(), "approle (mount approle)");
  EXPECT_TRUE(auth->CanRelogin());
  for (size_t i = 0; i < 2; ++i) {
    const auto token = vault.Login(*auth);
    ASSERT_THAT(token, IsOk());
    EXPECT_EQ(token->token.Reveal(), "hvs.golden1");
    EXPECT_TRUE(token->owned);
    ExpectSameRequest(vault.requests()[i], ReadGolden("approle_login"));
  }
}

TEST(AppRoleAuthTest, LogsInWithoutASecretId) {
  ScriptedExchange vault;
  vault.AnswerGolden("approle_login_without_secret_id");
  EXPECT_THAT(vault.Login(*AppRole(Secret(), false)), IsOk());
  ExpectSameRequest(vault.requests()[0], ReadGolden("approle_login_without_secret_id"));
}

TEST(AppRoleAuthTest, ARefusalSaysWhatToCompare) {
  ScriptedExchange vault;
  vault.AnswerGolden("approle_login_wrong_secret_id");
  EXPECT_THAT(
      vault.Login(*AppRole(Uuid(2), false)),
      AllOf(StatusIs(ErrorKind::kAuth,
                     "approle login at auth/approle: refused (Vault says: invalid role or secret "
                     "ID)"),
            HintIs("the role-id is wrong, or the secret-id is wrong, expired or used up: issue a "
                   "new one (vault write -f auth/approle/role/ROLE/secret-id), and compare the "
                   "role-id (vault read auth/approle/role/ROLE/role-id)")));
  vault.AnswerGolden("approle_login_no_mount");
  EXPECT_THAT(vault.Login(*AppRole(Uuid(2), false, "nothing")),
              AllOf(StatusIs(ErrorKind::kAuth,
                             "approle login at auth/nothing: refused (Vault says: permission "
                             "denied)"),
                    HintIs(HasSubstr("vault auth list"))));
}

TEST(AppRoleAuthTest, OtherFailuresAreLeftAsTheyAre) {
  ScriptedExchange vault;
  vault.AnswerGolden("login_sealed");
  EXPECT_THAT(vault.Login(*AppRole(Uuid(2), false)),
              AllOf(StatusIs(ErrorKind::kUnavailable), HintIs(HasSubstr("unseal"))));
  vault.Fail(MakeError(ErrorKind::kTls, "certificate expired", "renew it"));
  EXPECT_THAT(vault.Login(*AppRole(Uuid(2), false)),
              AllOf(StatusIs(ErrorKind::kTls, "certificate expired"), HintIs("renew it")));
}

TEST(WrappedSecretIdTest, IsCheckedUnwrappedOnceAndKept) {
  ScriptedExchange vault;
  vault.AnswerGolden("wrap_lookup");
  vault.AnswerGolden("unwrap");
  vault.AnswerGolden("approle_login");
  vault.AnswerGolden("approle_login");
  const auto auth = Wrapped();
  EXPECT_THAT(vault.Login(*auth), IsOk());
  EXPECT_THAT(vault.Login(*auth), IsOk());
  ASSERT_EQ(vault.requests().size(), 4u);
  ExpectSameRequest(vault.requests()[0], ReadGolden("wrap_lookup"));
  ExpectSameRequest(vault.requests()[1], ReadGolden("unwrap"));
  ExpectSameRequest(vault.requests()[2], ReadGolden("approle_login"));
  ExpectSameRequest(vault.requests()[3], ReadGolden("approle_login"));
  // The wrapping token is the one that unwraps; a second unwrapping would be refused.
  ASSERT_EQ(vault.requests()[1].headers().size(), 1u);
  EXPECT_EQ(vault.requests()[1].headers()[0].first, "X-Vault-Token");
  EXPECT_EQ(vault.requests()[1].headers()[0].second.Reveal(), "hvs.golden1");
  EXPECT_FALSE(vault.requests()[1].idempotent());
}

TEST(WrappedSecretIdTest, IsUnwrappedOnceEvenWhenTheLoginFails) {
  ScriptedExchange vault;
  vault.AnswerGolden("wrap_lookup");
  vault.AnswerGolden("unwrap");
  vault.Fail(MakeError(ErrorKind::kUnavailable, "reset"));
  vault.AnswerGolden("approle_login");
  const auto auth = Wrapped();
  EXPECT_THAT(vault.Login(*auth), StatusIs(ErrorKind::kUnavailable));
  EXPECT_THAT(vault.Login(*auth), IsOk());
  EXPECT_EQ(vault.requests().size(), 4u);
}

TEST(WrappedSecretIdTest, AUsedOneMayHaveBeenIntercepted) {
  constexpr const char* kHint =
      "it was used before, or has expired: if nobody of yours used it, treat the secret-id as "
      "intercepted; issue a new one";
  ScriptedExchange vault;
  vault.AnswerGolden("wrap_lookup_used");
  EXPECT_THAT(vault.Login(*Wrapped()),
              AllOf(StatusIs(ErrorKind::kAuth,
                             "approle login at auth/approle: look up the wrapping token: refused "
                             "(Vault says: wrapping token is not valid or does not exist)"),
                    HintIs(kHint)));
  EXPECT_EQ(vault.requests().size(), 1u);
  // Somebody was faster between the two steps.
  vault.AnswerGolden("wrap_lookup");
  vault.AnswerGolden("unwrap_used");
  EXPECT_THAT(vault.Login(*Wrapped()), AllOf(StatusIs(ErrorKind::kAuth), HintIs(kHint)));
  EXPECT_EQ(vault.requests().size(), 3u);
}

TEST(WrappedSecretIdTest, AForeignOneIsNotUnwrapped) {
  ScriptedExchange vault;
  vault.AnswerGolden("wrap_lookup_foreign");
  EXPECT_THAT(vault.Login(*Wrapped()),
              AllOf(StatusIs(ErrorKind::kAuth,
                             "approle login at auth/approle: the wrapping token does not hold a "
                             "secret-id of this mount: it was made by sys/wrapping/wrap"),
                    HintIs(HasSubstr("intercepted"))));
  EXPECT_EQ(vault.requests().size(), 1u);
  for (const std::string path :
       {"auth/other/role/r/secret-id", "auth/approle/role/secret-id",
        "auth/approle/role//secret-id", "auth/approle/role/a/b/secret-id",
        "auth/approle/role/r/secret-id/destroy", "auth/approle/role/r/custom-secret-id",
        "auth/approle2/role/r/secret-id", "xauth/approle/role/r/secret-id", "auth/approle/login",
        "x"}) {
    ScriptedExchange other;
    other.Answer(200, R"({"data":{"creation_path":")" + path + R"("}})");
    EXPECT_THAT(other.Login(*Wrapped()), StatusIs(ErrorKind::kAuth, HasSubstr(path))) << path;
    EXPECT_EQ(other.requests().size(), 1u) << path;
  }
}

TEST(WrappedSecretIdTest, AnAnswerWithoutASecretId) {
  ScriptedExchange vault;
  vault.AnswerGolden("wrap_lookup");
  vault.Answer(200, R"({"data":{"other":"canary"}})");
  EXPECT_THAT(
      vault.Login(*Wrapped()),
      StatusIs(ErrorKind::kProtocol, AllOf(HasSubstr("no secret_id"), Not(HasSubstr("canary")))));
}

TEST(WrappedSecretIdTest, AMalformedTokenIsNoHeader) {
  ScriptedExchange vault;
  vault.AnswerGolden("wrap_lookup");
  EXPECT_THAT(vault.Login(*AppRole(Secret::CopyOf("canary\r\nX-Evil: 1"), true)),
              StatusIs(ErrorKind::kUsage, Not(HasSubstr("canary"))));
}

}  // namespace
}  // namespace vaultcore
