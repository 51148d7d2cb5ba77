// Everything beside KV: requests as Vault's own client sends them, answers that Vault gave
// (tests/golden).

#include "vaultcore/api/sys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "golden/golden.h"
#include "support/status_matchers.h"

namespace vaultcore {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Mount At(std::string_view text) { return *Mount::Parse(text); }

HttpResponse Answer(int status, std::string_view body) {
  HttpResponse response;
  response.status = status;
  response.body = Secret::CopyOf(body);
  return response;
}

Secret Uuid(int number) {
  return Secret::CopyOf("00000000-0000-4000-8000-00000000000" + std::to_string(number));
}

TEST(MountLookupTest, TellsTypeAndVersion) {
  ExpectSameRequest(BuildMountLookup("secret"), ReadGolden("mount_lookup_kv2"));
  ExpectSameRequest(BuildMountLookup("kv1"), ReadGolden("mount_lookup_kv1"));

  const auto v2 = ParseMountLookup("secret", ReadGolden("mount_lookup_kv2").response);
  ASSERT_THAT(v2, IsOk());
  EXPECT_EQ(v2->type, "kv");
  EXPECT_EQ(v2->path, "secret/");
  EXPECT_EQ(v2->kv_version, KvVersion::kV2);

  const auto v1 = ParseMountLookup("kv1", ReadGolden("mount_lookup_kv1").response);
  ASSERT_THAT(v1, IsOk());
  EXPECT_EQ(v1->kv_version, KvVersion::kV1);

  const auto other = ParseMountLookup("sys", ReadGolden("mount_lookup_no_options").response);
  ASSERT_THAT(other, IsOk());
  EXPECT_EQ(other->type, "system");
  EXPECT_EQ(other->kv_version, std::nullopt);

  // A KV mount without options is version 1, and so was "generic".
  for (const char* type : {"kv", "generic"}) {
    const std::string body =
        R"({"data":{"path":"x/","options":null,"type":")" + std::string(type) + R"("}})";
    const auto mount = ParseMountLookup("x", Answer(200, body));
    ASSERT_THAT(mount, IsOk());
    EXPECT_EQ(mount->kv_version, KvVersion::kV1) << type;
  }
}

TEST(MountLookupTest, ForbiddenMeansEitherOfTwoThings) {
  for (const char* golden : {"mount_lookup_no_mount", "mount_lookup_forbidden"}) {
    const Status status = ParseMountLookup("nothing", ReadGolden(golden).response).status();
    EXPECT_THAT(status,
                AllOf(StatusIs(ErrorKind::kPermission,
                               "look up the mount nothing: no such mount, or no policy of the "
                               "token touches it (Vault does not tell the two apart)"),
                      HintIs("compare the name with the output of: vault secrets list; then see "
                             "the token's policies with: vault token lookup")));
    EXPECT_EQ(HttpStatusOf(status), 403);
  }
  EXPECT_THAT(ParseMountLookup("secret", ReadGolden("mount_lookup_invalid_token").response),
              StatusIs(ErrorKind::kAuth, "look up the mount secret: the token is not valid"));
  EXPECT_THAT(ParseMountLookup("x", Answer(200, "{}")), StatusIs(ErrorKind::kProtocol));
}

TEST(LoginTest, AppRole) {
  ExpectSameRequest(BuildAppRoleLogin(At("approle"), Uuid(1), Uuid(2)),
                    ReadGolden("approle_login"));
  ExpectSameRequest(BuildAppRoleLogin(At("approle"), Uuid(1), Secret()),
                    ReadGolden("approle_login_without_secret_id"));
  ExpectSameRequest(BuildAppRoleLogin(At("nothing"), Uuid(1), Uuid(2)),
                    ReadGolden("approle_login_no_mount"));

  const auto token = ParseLogin("approle login", ReadGolden("approle_login").response);
  ASSERT_THAT(token, IsOk());
  EXPECT_EQ(token->token.Reveal(), "hvs.golden1");
  EXPECT_EQ(token->accessor, "goldenaccessor1");
  EXPECT_THAT(token->policies, ElementsAre("default", "harness-runtime"));
  EXPECT_EQ(token->ttl, seconds(3600));
  EXPECT_TRUE(token->renewable);
  EXPECT_TRUE(token->owned);

  EXPECT_THAT(
      ParseLogin("approle login", ReadGolden("approle_login_wrong_secret_id").response),
      StatusIs(ErrorKind::kAuth, "approle login: refused (Vault says: invalid role or secret ID)"));
}

TEST(LoginTest, Kubernetes) {
  const Secret jwt = Secret::CopyOf("golden.service-account.jwt");
  ExpectSameRequest(BuildKubernetesLogin(At("kubernetes"), "harness", jwt),
                    ReadGolden("kubernetes_login"));
  ExpectSameRequest(BuildKubernetesLogin(At("nothing"), "harness", jwt),
                    ReadGolden("kubernetes_login_no_mount"));
  const auto token = ParseLogin("kubernetes login", ReadGolden("kubernetes_login").response);
  ASSERT_THAT(token, IsOk());
  EXPECT_EQ(token->token.Reveal(), "hvs.golden1");
  EXPECT_TRUE(token->owned);
}

TEST(LoginTest, SecretsGoIntoTheBodyOnly) {
  const HttpRequest request =
      BuildAppRoleLogin(At("approle"), Secret::CopyOf("canary"), Secret::CopyOf("canary"));
  EXPECT_THAT(request.target(), Not(HasSubstr("canary")));
  EXPECT_THAT(request.headers(), IsEmpty());
}

TEST(LoginTest, AnswersWithoutAToken) {
  EXPECT_THAT(ParseLogin("login", Answer(200, R"({"auth":{"client_token":"",)"
                                              R"("mfa_requirement":{"mfa_request_id":"x"}}})")),
              StatusIs(ErrorKind::kAuth, HasSubstr("second factor")));
  for (const std::string_view body :
       {"{}", R"({"auth":null})", R"({"auth":{"client_token":null}})", "<html>", ""}) {
    EXPECT_THAT(ParseLogin("login", Answer(200, body)), StatusIs(ErrorKind::kProtocol)) << body;
  }
}

TEST(TokenTest, LookupRenewAndRevoke) {
  ExpectSameRequest(BuildTokenLookupSelf(), ReadGolden("token_lookup"));
  ExpectSameRequest(BuildTokenRenewSelf(seconds(3600)), ReadGolden("token_renew"));
  ExpectSameRequest(BuildTokenRenewSelf(std::nullopt), ReadGolden("token_renew_default"));
  ExpectSameRequest(BuildTokenRevokeSelf(), ReadGolden("token_revoke"));

  const auto looked_up = ParseTokenLookup(ReadGolden("token_lookup").response);
  ASSERT_THAT(looked_up, IsOk());
  EXPECT_TRUE(looked_up->token.empty());
  EXPECT_EQ(looked_up->accessor, "goldenaccessor1");
  EXPECT_THAT(looked_up->policies, ElementsAre("default", "harness-runtime"));
  EXPECT_EQ(looked_up->ttl, seconds(86400));
  EXPECT_TRUE(looked_up->renewable);
  EXPECT_FALSE(looked_up->owned);

  const auto root = ParseTokenLookup(ReadGolden("token_lookup_root").response);
  ASSERT_THAT(root, IsOk());
  EXPECT_EQ(root->ttl, seconds(0));
  EXPECT_FALSE(root->renewable);
  EXPECT_THAT(ParseTokenLookup(ReadGolden("token_lookup_invalid").response),
              StatusIs(ErrorKind::kAuth, "look up the token: the token is not valid"));

  const auto renewed = ParseTokenRenew(ReadGolden("token_renew").response);
  ASSERT_THAT(renewed, IsOk());
  EXPECT_EQ(renewed->ttl, seconds(3600));
  EXPECT_THAT(ParseTokenRenew(ReadGolden("token_renew_root").response),
              StatusIs(ErrorKind::kRejected));

  EXPECT_THAT(ParseEmpty("revoke the token", ReadGolden("token_revoke").response), IsOk());
  EXPECT_THAT(ParseEmpty("revoke the token", ReadGolden("token_revoke_invalid").response),
              StatusIs(ErrorKind::kAuth, "revoke the token: the token is not valid"));
}

TEST(TokenTest, NegativeAndOddLifetimesAreNone) {
  const auto token = ParseTokenLookup(Answer(200, R"({"data":{"ttl":-5}})"));
  ASSERT_THAT(token, IsOk());
  EXPECT_EQ(token->ttl, seconds(0));
  EXPECT_THAT(ParseTokenLookup(Answer(200, R"({"data":null})")), StatusIs(ErrorKind::kProtocol));
}

TEST(WrappingTest, LookupAndUnwrap) {
  ExpectSameRequest(BuildWrapLookup(Secret::CopyOf("hvs.golden1")), ReadGolden("wrap_lookup"));
  ExpectSameRequest(BuildUnwrap(), ReadGolden("unwrap"));
  EXPECT_THAT(ParseWrapLookupCreationPath(ReadGolden("wrap_lookup").response),
              IsOkAndHolds("auth/approle/role/harness/secret-id"));
  EXPECT_THAT(ParseWrapLookupCreationPath(ReadGolden("wrap_lookup_foreign").response),
              IsOkAndHolds("sys/wrapping/wrap"));
  EXPECT_THAT(ParseWrapLookupCreationPath(ReadGolden("wrap_lookup_used").response),
              StatusIs(ErrorKind::kAuth, HasSubstr("not valid or does not exist")));
  EXPECT_THAT(ParseWrapLookupCreationPath(Answer(200, R"({"data":{}})")),
              StatusIs(ErrorKind::kProtocol));

  const auto unwrapped = ParseUnwrap(ReadGolden("unwrap").response);
  ASSERT_THAT(unwrapped, IsOk());
  EXPECT_EQ((*unwrapped)["secret_id"].AsText(), Uuid(2).Reveal());
  EXPECT_THAT(ParseUnwrap(ReadGolden("unwrap_used").response), StatusIs(ErrorKind::kAuth));
  EXPECT_THAT(ParseUnwrap(Answer(200, R"({"data":null})")), StatusIs(ErrorKind::kProtocol));
}

TEST(RepeatableTest, WhatVaultLetsRepeatIsMarked) {
  EXPECT_TRUE(BuildAppRoleLogin(At("a"), Uuid(1), Uuid(2)).idempotent());
  EXPECT_TRUE(BuildKubernetesLogin(At("a"), "r", Uuid(1)).idempotent());
  EXPECT_TRUE(BuildWrapLookup(Uuid(1)).idempotent());
  EXPECT_TRUE(BuildCapabilitiesSelf({}).idempotent());
  EXPECT_TRUE(BuildTokenRenewSelf(std::nullopt).idempotent());
  EXPECT_TRUE(BuildLeaseRenew("l", std::nullopt).idempotent());
  EXPECT_TRUE(BuildLeaseRevoke("l").idempotent());
  // A second unwrapping would be refused, and read as an interception.
  EXPECT_FALSE(BuildUnwrap().idempotent());
  EXPECT_FALSE(BuildTokenRevokeSelf().idempotent());
}

TEST(CapabilitiesTest, InTheOrderAsked) {
  const std::vector<std::string> paths = {"secret/data/harness/log-service/env-secrets",
                                          "secret/metadata/harness/x", "sys/seal"};
  const GoldenExchange golden = ReadGolden("capabilities_self");
  ExpectSameRequest(BuildCapabilitiesSelf(paths), golden);
  EXPECT_THAT(
      ParseCapabilitiesSelf(paths, golden.response),
      IsOkAndHolds(ElementsAre(ElementsAre("read"), ElementsAre("list"), ElementsAre("deny"))));
  EXPECT_THAT(
      ParseCapabilitiesSelf({"secret/data/x"}, ReadGolden("capabilities_self_root").response),
      IsOkAndHolds(ElementsAre(ElementsAre("root"))));
  EXPECT_THAT(ParseCapabilitiesSelf({"other"}, golden.response), StatusIs(ErrorKind::kProtocol));
}

TEST(HealthTest, EachState) {
  ExpectSameRequest(BuildHealth(), ReadGolden("health_active"));
  EXPECT_EQ(ParseHealth(ReadGolden("health_active").response), Health::kActive);
  EXPECT_EQ(ParseHealth(ReadGolden("health_standby").response), Health::kStandby);
  EXPECT_EQ(ParseHealth(ReadGolden("health_sealed").response), Health::kSealed);
  EXPECT_EQ(ParseHealth(ReadGolden("health_uninitialised").response), Health::kNotInitialized);
  EXPECT_EQ(ParseHealth(Answer(473, "")), Health::kStandby);
  EXPECT_EQ(ParseHealth(Answer(472, "")), Health::kOther);
  EXPECT_EQ(ParseHealth(Answer(404, "")), Health::kOther);
}

TEST(DatabaseTest, CredentialsWithTheirLease) {
  const GoldenExchange golden = ReadGolden("database_creds");
  ExpectSameRequest(BuildDatabaseCredentials(At("database"), "app"), golden);
  const auto credentials = ParseDatabaseCredentials(At("database"), "app", golden.response);
  ASSERT_THAT(credentials, IsOk());
  EXPECT_EQ(credentials->username.Reveal(), "v-golden-app-1");
  EXPECT_EQ(credentials->password.Reveal(), "golden-password1");
  EXPECT_EQ(credentials->lease_id, "database/creds/app/goldenlease1");
  EXPECT_EQ(credentials->lease_duration, seconds(3600));
  EXPECT_TRUE(credentials->renewable);
  EXPECT_THAT(credentials->warnings, IsEmpty());
}

TEST(DatabaseTest, Failures) {
  const auto parse = [](const HttpResponse& response) {
    return ParseDatabaseCredentials(At("database"), "app", response);
  };
  EXPECT_THAT(parse(ReadGolden("database_creds_unknown_role").response),
              AllOf(StatusIs(ErrorKind::kNotFound,
                             "read database/creds/app: the database engine has no role \"app\""),
                    HintIs("compare the name with the output of: vault list database/roles")));
  EXPECT_THAT(
      parse(ReadGolden("database_creds_forbidden").response),
      AllOf(StatusIs(ErrorKind::kPermission),
            HintIs(HasSubstr("path \"database/creds/app\" { capabilities = [\"read\"] }"))));
  EXPECT_THAT(parse(ReadGolden("database_creds_down").response),
              AllOf(StatusIs(ErrorKind::kUnavailable, HasSubstr("connection refused")),
                    HintIs(HasSubstr("Vault must reach the database"))));
  EXPECT_THAT(parse(Answer(200, R"({"data":{"username":"u","rsa_private_key":"canary"}})")),
              StatusIs(ErrorKind::kProtocol,
                       AllOf(HasSubstr("credential_type"), Not(HasSubstr("canary")))));
  EXPECT_THAT(parse(Answer(200, R"({"data":{}})")), StatusIs(ErrorKind::kProtocol));
}

TEST(LeaseTest, RenewAndRevoke) {
  constexpr std::string_view kLease = "database/creds/app/goldenlease1";
  ExpectSameRequest(BuildLeaseRenew(kLease, seconds(3600)), ReadGolden("lease_renew"));
  ExpectSameRequest(BuildLeaseRenew(kLease, std::nullopt), ReadGolden("lease_renew_gone"));
  ExpectSameRequest(BuildLeaseRevoke(kLease), ReadGolden("lease_revoke"));
  EXPECT_THAT(ParseEmpty("renew the lease", ReadGolden("lease_renew").response), IsOk());
  EXPECT_THAT(ParseEmpty("revoke the lease", ReadGolden("lease_revoke").response), IsOk());
  EXPECT_THAT(ParseEmpty("renew the lease", ReadGolden("lease_renew_gone").response),
              StatusIs(ErrorKind::kRejected,
                       "renew the lease: Vault refused the request (Vault says: lease not found)"));
}

TEST(WarningsTest, AreCleanText) {
  const auto body = Json::Parse(R"({"warnings":["one\ntwo","three"]})");
  EXPECT_THAT(ParseWarnings(*body), ElementsAre("one two", "three"));
  EXPECT_THAT(ParseWarnings(*Json::Parse(R"({"warnings":null})")), IsEmpty());
  EXPECT_THAT(ParseWarnings(Json()), IsEmpty());
}

}  // namespace
}  // namespace vaultcore
