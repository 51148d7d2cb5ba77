// What an answer means, and the words for it. The answers are Vault's own (tests/golden); the words
// are pinned, because people act on them.

#include "vaultcore/api/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "golden/golden.h"
#include "support/status_matchers.h"

namespace vaultcore {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const Operation kRead{"read secret/harness/x", "secret/data/harness/x", "read"};

Operation Login() {
  Operation login{"approle login at auth/approle", "", ""};
  login.is_login = true;
  return login;
}

HttpResponse Answer(int status, std::string_view body) {
  HttpResponse response;
  response.status = status;
  response.body = Secret::CopyOf(body);
  return response;
}

struct Pinned {
  const char* golden;
  ErrorKind kind;
  const char* message;  // after "read secret/harness/x: "
  const char* hint;
};

class PinnedErrorTest : public testing::TestWithParam<Pinned> {};

TEST_P(PinnedErrorTest, SaysWhatAndWhatNext) {
  const Pinned& pinned = GetParam();
  const HttpResponse response = ReadGolden(pinned.golden).response;
  const Status status = InterpretError(kRead, response);
  EXPECT_EQ(KindOf(status), pinned.kind);
  EXPECT_EQ(MessageOf(status), std::string("read secret/harness/x: ") + pinned.message);
  EXPECT_EQ(HintOf(status), pinned.hint);
  EXPECT_EQ(HttpStatusOf(status), response.status);
}

constexpr const char* kTokenHint =
    "it has expired, was revoked, or belongs to another Vault: log in again, or set VAULT_TOKEN "
    "anew";
constexpr const char* kSealedHint =
    "see its state with: vault status; unseal it with: vault operator unseal";

INSTANTIATE_TEST_SUITE_P(
    FromVault, PinnedErrorTest,
    testing::Values(
        Pinned{"kv2_read_forbidden", ErrorKind::kPermission, "permission denied",
               "a policy of the token must have: path \"secret/data/harness/x\" { capabilities = "
               "[\"read\"] }"},
        Pinned{"read_no_token", ErrorKind::kPermission, "permission denied",
               "a policy of the token must have: path \"secret/data/harness/x\" { capabilities = "
               "[\"read\"] }"},
        Pinned{"read_invalid_token", ErrorKind::kAuth, "the token is not valid", kTokenHint},
        Pinned{"read_expired_token", ErrorKind::kAuth, "the token is not valid", kTokenHint},
        Pinned{"read_no_mount", ErrorKind::kNotFound,
               "nothing is mounted there (Vault says: no handler for route "
               "\"nothing/data/harness/log-service/env-secrets\". route entry not found.)",
               "compare the mount with the output of: vault secrets list; and check the namespace"},
        Pinned{"kv2_read_as_kv1", ErrorKind::kNotFound,
               "the mount is KV version 2, and was asked in the form of 1", ""},
        Pinned{"kv2_read_absent", ErrorKind::kNotFound, "not found", ""},
        Pinned{"kv2_unsupported", ErrorKind::kRejected,
               "the path does not support this (HTTP 405) (Vault says: unsupported operation)",
               "the mount may be of another type than expected: see vault secrets list"},
        Pinned{"kv2_write_no_data", ErrorKind::kRejected,
               "Vault refused the request (Vault says: no data provided)", ""},
        Pinned{"kv2_write_long_value", ErrorKind::kRejected,
               "Vault refused the request (Vault says: JSON string value exceeds allowed length)",
               "an entry may have 1 MiB at most, all its values together"},
        Pinned{"rate_limited", ErrorKind::kRateLimited,
               "too many requests (HTTP 429) (Vault says: request path \"limited/x\": rate limit "
               "quota exceeded)",
               "lower the rate with VAULT_RATE_LIMIT, or raise Vault's quota"},
        Pinned{"read_sealed", ErrorKind::kUnavailable, "Vault is sealed, or not yet initialised",
               kSealedHint},
        Pinned{"read_uninitialised", ErrorKind::kUnavailable,
               "Vault is sealed, or not yet initialised", kSealedHint},
        Pinned{"health_uninitialised", ErrorKind::kUnavailable, "Vault is not initialised",
               "initialise it (vault operator init) and unseal it"},
        Pinned{"plain_http_to_tls", ErrorKind::kTls,
               "the server speaks HTTPS, and was asked in plain HTTP",
               "write https:// in the address"},
        Pinned{"not_the_api", ErrorKind::kProtocol,
               "not found (the answer is not Vault's own: a proxy, or another server)",
               "check that the address is Vault's, without a path behind it unless a proxy needs "
               "one"},
        Pinned{"redirect_standby", ErrorKind::kRejected, "redirected (HTTP 307)",
               "set the address to the one that Vault redirects to"}),
    [](const auto& test) { return std::string(test.param.golden); });

struct StatusKind {
  int status;
  ErrorKind kind;
};

// Answers that Vault sends only in clusters, or that come from something before it.
TEST(InterpretErrorTest, KindsByStatusAlone) {
  for (const StatusKind& expected : {
           StatusKind{302, ErrorKind::kRejected},
           StatusKind{401, ErrorKind::kAuth},
           StatusKind{407, ErrorKind::kAuth},
           StatusKind{409, ErrorKind::kRejected},
           StatusKind{412, ErrorKind::kUnavailable},
           StatusKind{413, ErrorKind::kRejected},
           StatusKind{429, ErrorKind::kRateLimited},
           StatusKind{472, ErrorKind::kUnavailable},
           StatusKind{473, ErrorKind::kUnavailable},
           StatusKind{500, ErrorKind::kUnavailable},
           StatusKind{501, ErrorKind::kUnavailable},
           StatusKind{502, ErrorKind::kUnavailable},
           StatusKind{503, ErrorKind::kUnavailable},
           StatusKind{504, ErrorKind::kUnavailable},
           StatusKind{599, ErrorKind::kUnavailable},
       }) {
    const Status status = InterpretError(kRead, Answer(expected.status, R"({"errors":[]})"));
    EXPECT_EQ(KindOf(status), expected.kind) << expected.status;
    EXPECT_EQ(HttpStatusOf(status), expected.status);
    EXPECT_THAT(std::string(MessageOf(status)), testing::StartsWith("read secret/harness/x: "));
  }
}

TEST(InterpretErrorTest, AStandbyWithoutALeaderSaysSo) {
  EXPECT_THAT(InterpretError(kRead, Answer(500, R"({"errors":["local node not active but active )"
                                                R"(cluster node not found"]})")),
              StatusIs(ErrorKind::kUnavailable, HasSubstr("is a standby, and none is active")));
}

TEST(InterpretErrorTest, RefusedLoginsAreAuthErrors) {
  for (const char* golden :
       {"approle_login_wrong_secret_id", "approle_login_wrong_role_id", "approle_login_no_mount",
        "kubernetes_login_wrong_account", "kubernetes_login_wrong_namespace",
        "kubernetes_login_expired", "kubernetes_login_unknown_role", "read_no_mount"}) {
    EXPECT_THAT(InterpretError(Login(), ReadGolden(golden).response), StatusIs(ErrorKind::kAuth))
        << golden;
  }
  EXPECT_THAT(InterpretError(Login(), ReadGolden("approle_login_wrong_secret_id").response),
              StatusIs(ErrorKind::kAuth,
                       "approle login at auth/approle: refused (Vault says: invalid role "
                       "or secret ID)"));
  EXPECT_THAT(InterpretError(Login(), ReadGolden("login_sealed").response),
              StatusIs(ErrorKind::kUnavailable));
}

TEST(InterpretErrorTest, ThePolicyLineNamesEachCapability) {
  const HttpResponse forbidden = ReadGolden("kv2_write_forbidden").response;
  const auto hint = [&forbidden](std::string path, std::string capability) {
    return HintOf(InterpretError({"write", std::move(path), std::move(capability)}, forbidden));
  };
  EXPECT_THAT(hint("secret/data/x", "create and update"),
              HasSubstr(R"(path "secret/data/x" { capabilities = ["create", "update"] })"));
  EXPECT_THAT(hint("a/b", "create, update and read"),
              HasSubstr(R"(path "a/b" { capabilities = ["create", "update", "read"] })"));
  EXPECT_THAT(hint(R"(a/"b\c)", "list"),
              HasSubstr(R"(path "a/\"b\\c" { capabilities = ["list"] })"));
  EXPECT_THAT(hint("", "read"), IsEmpty());
  EXPECT_THAT(hint("a/b", ""), IsEmpty());
}

// What a proxy's page says is not ours to repeat: it may hold anything.
TEST(InterpretErrorTest, AForeignBodyIsNeverEchoed) {
  for (const int code : {400, 401, 403, 404, 405, 429, 500, 502, 503}) {
    for (const std::string_view body :
         {"<html><h1>canary</h1></html>", "canary", "[\"canary\"]", "\"canary\"",
          "{\"errors\":[\"canary\"", "{\"message\":\"canary\"} x"}) {
      const Status status = InterpretError(kRead, Answer(code, body));
      EXPECT_THAT(std::string(MessageOf(status)),
                  AllOf(Not(HasSubstr("canary")), HasSubstr("the answer is not Vault's own")))
          << code << " " << body;
      EXPECT_THAT(HintOf(status), AllOf(Not(IsEmpty()), Not(HasSubstr("canary"))))
          << code << " " << body;
    }
  }
  // A proxy's 404 does not mean that the secret is not there, nor its 403 that a policy is missing.
  EXPECT_THAT(InterpretError(kRead, Answer(404, "<html>")), StatusIs(ErrorKind::kProtocol));
  EXPECT_THAT(InterpretError(kRead, Answer(404, "")), StatusIs(ErrorKind::kProtocol));
  EXPECT_THAT(InterpretError(kRead, Answer(403, "<html>")), HintIs(Not(HasSubstr("capabilities"))));
}

TEST(InterpretErrorTest, VaultsWordsAreCutAndCleaned) {
  const std::string body =
      R"({"errors":["\u001b[31mred\u0007\u009b", ")" + std::string(5000, 'x') + R"("]})";
  const Status status = InterpretError(kRead, Answer(400, body));
  EXPECT_LT(MessageOf(status).size(), 400u);
  for (const char c : MessageOf(status)) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
}

TEST(ServerErrorsTest, AreOneLine) {
  EXPECT_EQ(ServerErrors(ReadGolden("kv2_read_forbidden").response), "permission denied");
  EXPECT_EQ(ServerErrors(ReadGolden("read_invalid_token").response),
            "permission denied; invalid token");
  EXPECT_EQ(ServerErrors(ReadGolden("kv2_read_absent").response), "");
  EXPECT_EQ(ServerErrors(ReadGolden("kv2_read").response), "");
  EXPECT_EQ(ServerErrors(ReadGolden("not_the_api").response), "");
  EXPECT_EQ(ServerErrors(Answer(400, R"({"errors":["a","b\nc",7,null,""]})")), "a; b; c; 7");
  EXPECT_EQ(ServerErrors(Answer(400, R"({"errors":"a"})")), "");
  EXPECT_EQ(ServerErrors(Answer(400, "")), "");
  EXPECT_EQ(ServerErrors(Answer(400, R"({"errors":["10 errors occurred:\n\t* a\n\t* b\n"]})")),
            "a; b");
}

}  // namespace
}  // namespace vaultcore
