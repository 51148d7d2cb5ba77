#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "auth/jwt_claims.h"
#include "support/status_matchers.h"
#include "unit/auth/scripted_exchange.h"
#include "vaultcore/base/encoding.h"
#include "vaultcore/base/file.h"

namespace vaultcore {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr int64_t kNow = 1'700'000'000;

// base64url without padding.
std::string UrlEncode(std::string_view bytes) {
  std::string text(Base64Encode(bytes).Reveal());
  for (char& c : text) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  text.resize(text.find_last_not_of('=') + 1);
  return text;
}

std::string Jwt(std::string_view claims) {
  return UrlEncode(R"({"alg":"RS256"})") + "." + UrlEncode(claims) + "." + UrlEncode("signature");
}

// What a projected token of a cluster of today says.
std::string Projected(int64_t expires_at) {
  return Jwt(R"({"aud":["https://kubernetes.default.svc"],"exp":)" + std::to_string(expires_at) +
             R"(,"iss":"https://kubernetes.default.svc","kubernetes.io":{"namespace":"harness",)"
             R"("serviceaccount":{"name":"log-service","uid":"x"}},"sub":"system:..."})");
}

class KubernetesAuthTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    path_ = (std::filesystem::temp_directory_path() /
             ("vaultcore-jwt-" + std::to_string(getpid()) + "-" + info->name()))
                .string();
  }
  void TearDown() override { std::filesystem::remove(path_); }

  void WriteToken(std::string_view text) { ASSERT_THAT(WriteFileDurably(path_, text), IsOk()); }
  StatusOr<AuthToken> Login(std::string_view token) {
    WriteToken(token);
    return vault_.Login(*Method());
  }
  std::unique_ptr<AuthMethod> Method() {
    KubernetesCredentials credentials{*Mount::Parse("kubernetes"), "harness", path_};
    return MakeKubernetesAuth(std::move(credentials), [] { return kNow; });
  }

  std::string path_;
  ScriptedExchange vault_;
};

TEST_F(KubernetesAuthTest, ReadsTheTokenAtEachLogin) {
  vault_.AnswerGolden("kubernetes_login");
  vault_.AnswerGolden("kubernetes_login");
  const auto auth = Method();
  WriteToken("golden.service-account.jwt\n");
  EXPECT_THAT(vault_.Login(*auth), IsOk());
  ExpectSameRequest(vault_.requests()[0], ReadGolden("kubernetes_login"));
  WriteToken("second.service-account.jwt");
  const auto token = vault_.Login(*auth);
  ASSERT_THAT(token, IsOk());
  EXPECT_EQ(token->token.Reveal(), "hvs.golden1");
  EXPECT_TRUE(token->owned);
  EXPECT_EQ(vault_.requests()[1].body().Reveal(),
            R"({"jwt":"second.service-account.jwt","role":"harness"})");
  EXPECT_EQ(auth->Describe(), "kubernetes (role harness, mount kubernetes)");
}

TEST_F(KubernetesAuthTest, ARefusalShowsTheTokensOwnClaims) {
  vault_.AnswerGolden("kubernetes_login_wrong_account");
  const auto refused = Login(Projected(kNow + 3000));
  EXPECT_THAT(
      refused,
      AllOf(StatusIs(ErrorKind::kAuth,
                     "kubernetes login as role \"harness\" at auth/kubernetes: refused (Vault "
                     "says: service account name not authorized); the token says: namespace "
                     "harness, service account log-service, audience "
                     "https://kubernetes.default.svc, issuer https://kubernetes.default.svc, "
                     "expires in 50 minutes"),
            HintIs("compare with bound_service_account_names, bound_service_account_namespaces "
                   "and audience in: vault read auth/kubernetes/role/harness; and the cluster, "
                   "which Vault must reach, in: vault read auth/kubernetes/config (no such mount? "
                   "vault auth list)")));
  EXPECT_EQ(HttpStatusOf(refused.status()), 403);
}

TEST_F(KubernetesAuthTest, EveryRefusalIsAnAuthErrorWithClaims) {
  for (const char* golden : {"kubernetes_login_wrong_namespace", "kubernetes_login_wrong_audience",
                             "kubernetes_login_unknown_role", "kubernetes_login_no_mount",
                             "kubernetes_login_unreachable"}) {
    vault_.AnswerGolden(golden);
    EXPECT_THAT(Login(Projected(kNow + 3000)),
                StatusIs(ErrorKind::kAuth, HasSubstr("service account log-service")))
        << golden;
  }
}

TEST_F(KubernetesAuthTest, AnExpiredTokenIsTold) {
  vault_.AnswerGolden("kubernetes_login_expired");
  EXPECT_THAT(Login(Projected(kNow - 720)),
              AllOf(StatusIs(ErrorKind::kAuth, HasSubstr(", expired 12 minutes ago")),
                    HintIs(HasSubstr("renewed in its file by the kubelet"))));
}

TEST_F(KubernetesAuthTest, WhatIsNoJwtIsTold) {
  for (const std::string& text :
       {std::string("text-canary"), std::string("canary.b"), std::string("canary.!!!.c"),
        "canary." + UrlEncode("no json") + ".c", "canary." + UrlEncode("[1]") + ".c",
        "canary." + UrlEncode("{}") + ".c.d"}) {
    vault_.AnswerGolden("kubernetes_login_not_a_jwt");
    EXPECT_THAT(Login(text),
                AllOf(StatusIs(ErrorKind::kAuth,
                               AllOf(HasSubstr("; the token in " + path_ + " is not a JWT"),
                                     Not(HasSubstr("canary")))),
                      HintIs(HasSubstr("which file"))));
  }
}

TEST_F(KubernetesAuthTest, TheTokenIsNeverShown) {
  const std::string jwt = Projected(kNow + 3000);
  for (const char* golden : {"kubernetes_login_wrong_account", "login_sealed", "not_the_api"}) {
    vault_.AnswerGolden(golden);
    const Status status = Login(jwt).status();
    const std::string all = std::string(MessageOf(status)) + HintOf(status);
    for (size_t start = 0, dot = 0; dot != std::string::npos; start = dot + 1) {
      dot = jwt.find('.', start);
      EXPECT_THAT(all, Not(HasSubstr(jwt.substr(start, dot - start)))) << golden;
    }
  }
}

TEST_F(KubernetesAuthTest, OtherFailuresAreLeftAsTheyAre) {
  vault_.AnswerGolden("login_sealed");
  EXPECT_THAT(Login(Projected(kNow + 3000)),
              StatusIs(ErrorKind::kUnavailable, Not(HasSubstr("the token says"))));
  vault_.Fail(MakeError(ErrorKind::kTimeout, "out of time"));
  EXPECT_THAT(Login(Projected(kNow + 3000)), StatusIs(ErrorKind::kTimeout, "out of time"));
}

TEST_F(KubernetesAuthTest, ATokenFileThatCannotBeUsed) {
  EXPECT_THAT(
      vault_.Login(*Method()),
      AllOf(StatusIs(ErrorKind::kIo, AllOf(HasSubstr(path_), HasSubstr("kubernetes login"))),
            HintIs(HasSubstr("automountServiceAccountToken"))));
  EXPECT_THAT(Login(" \n"), StatusIs(ErrorKind::kIo, HasSubstr(path_ + " is empty")));
  EXPECT_THAT(Login(std::string(100'000, 'x')), StatusIs(ErrorKind::kIo, HasSubstr("larger")));
  EXPECT_TRUE(vault_.requests().empty());
}

using internal::DecodeJwtClaims;
using internal::DescribeClaims;

std::string Described(std::string_view claims) {
  const auto decoded = DecodeJwtClaims(Jwt(claims));
  return decoded ? DescribeClaims(*decoded, kNow) : "no JWT";
}

TEST(JwtClaimsTest, OfAllKindsOfTokens) {
  EXPECT_EQ(Described("{}"),
            "namespace (none), service account (none), audience (none), issuer (none), no expiry");
  // Of a Secret, as older clusters make them.
  EXPECT_EQ(Described(R"({"iss":"kubernetes/serviceaccount",)"
                      R"("kubernetes.io/serviceaccount/namespace":"vault",)"
                      R"("kubernetes.io/serviceaccount/service-account.name":"default"})"),
            "namespace vault, service account default, audience (none), issuer "
            "kubernetes/serviceaccount, no expiry");
  EXPECT_EQ(Described(R"({"aud":"one"})"),
            "namespace (none), service account (none), audience one, issuer (none), no expiry");
  EXPECT_THAT(Described(R"({"aud":["a","b","c","d","e","f"]})"),
              HasSubstr("audience a and b and c and d and e, "));
  EXPECT_THAT(Described(R"({"aud":{"a":1},"iss":[],"exp":"soon","kubernetes.io":7})"),
              HasSubstr("no expiry"));
}

TEST(JwtClaimsTest, ExpiryInWords) {
  const auto expiry = [](int64_t from_now) {
    const std::string text = Described("{\"exp\":" + std::to_string(kNow + from_now) + "}");
    return text.substr(text.rfind(", ") + 2);
  };
  EXPECT_EQ(expiry(0), "expired 0 seconds ago");
  EXPECT_EQ(expiry(-1), "expired 1 second ago");
  EXPECT_EQ(expiry(-119), "expired 119 seconds ago");
  EXPECT_EQ(expiry(-120), "expired 2 minutes ago");
  EXPECT_EQ(expiry(-5400), "expired 90 minutes ago");
  EXPECT_EQ(expiry(-7200), "expired 2 hours ago");
  EXPECT_EQ(expiry(-400LL * 86400), "expired 400 days ago");
  EXPECT_EQ(expiry(600), "expires in 10 minutes");
}

TEST(JwtClaimsTest, ClaimsAreMadeFitForMessages) {
  const std::string text = Described(R"({"iss":"a\u001b[31m\nb","kubernetes.io":{"namespace":")" +
                                     std::string(5000, 'n') + R"("}})");
  EXPECT_THAT(text, HasSubstr("issuer a [31m b"));
  EXPECT_LT(text.size(), 400u);
}

}  // namespace
}  // namespace vaultcore
