#include "vaultcore/api/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/status_matchers.h"

namespace vaultcore {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(HttpRequestTest, EncodesThePathSoThatNothingBreaksOut) {
  EXPECT_EQ(HttpRequest(Method::kGet, "secret/data/a b?c#d%e").target(),
            "/v1/secret/data/a%20b%3Fc%23d%25e");
  EXPECT_EQ(HttpRequest(Method::kGet, "secret/x\r\nHost: evil").target(),
            "/v1/secret/x%0D%0AHost%3A%20evil");
  EXPECT_EQ(HttpRequest(Method::kGet, "secret/\xC3\xA9").target(), "/v1/secret/%C3%A9");
  EXPECT_EQ(HttpRequest(Method::kGet, std::string_view("a\0b", 3)).target(), "/v1/a%00b");
}

TEST(HttpRequestTest, KeepsTheReadablePathForMessages) {
  HttpRequest request(Method::kGet, "secret/data/a b");
  request.AddQuery("list", "true");
  EXPECT_EQ(request.api_path(), "secret/data/a b");
}

TEST(HttpRequestTest, EncodesQueries) {
  HttpRequest request(Method::kGet, "sys/health");
  request.AddQuery("standbyok", "true");
  request.AddQuery("a&b", "c=d/e f");
  EXPECT_EQ(request.target(), "/v1/sys/health?standbyok=true&a%26b=c%3Dd%2Fe%20f");
}

TEST(HttpRequestTest, RefusesHeadersThatWouldInjectOthers) {
  HttpRequest request(Method::kGet, "x");
  for (const std::string_view value :
       {"a\r\nX-Evil: 1", "a\nb", "a\rb", "a\tb", " a", "a ", "\x7F", "caf\xC3\xA9"}) {
    EXPECT_THAT(request.AddHeader("X-Vault-Token", value),
                StatusIs(ErrorKind::kUsage,
                         AllOf(HasSubstr("X-Vault-Token"), Not(HasSubstr(std::string(value))))))
        << "value of " << value.size() << " bytes";
  }
  EXPECT_THAT(request.AddHeader("X-Vault-Token", std::string_view("a\0b", 3)),
              StatusIs(ErrorKind::kUsage));
  for (const std::string_view name : {"", "X Y", "X:Y", "X\r\nY", "\xC3\xA9"}) {
    EXPECT_THAT(request.AddHeader(name, "v"), StatusIs(ErrorKind::kUsage));
  }
  EXPECT_TRUE(request.headers().empty());
}

TEST(HttpRequestTest, TakesHeadersAsTheyAre) {
  HttpRequest request(Method::kGet, "x");
  EXPECT_THAT(request.AddHeader("X-Vault-Token", Secret::CopyOf("hvs.abc")), IsOk());
  EXPECT_THAT(request.AddHeader("X-Empty", ""), IsOk());
  EXPECT_THAT(request.AddHeader("Proxy-Authorization", "Basic YTpi"), IsOk());
  ASSERT_EQ(request.headers().size(), 3u);
  EXPECT_EQ(request.headers()[0].first, "X-Vault-Token");
  EXPECT_EQ(request.headers()[0].second.Reveal(), "hvs.abc");
  EXPECT_EQ(request.headers()[2].second.Reveal(), "Basic YTpi");
}

TEST(HttpRequestTest, ACloneIsTheSameRequest) {
  HttpRequest request(Method::kPut, "secret/x", Secret::CopyOf("{}"));
  request.AddQuery("a", "b");
  request.set_idempotent(true);
  ASSERT_THAT(request.AddHeader("X-Vault-Token", "t"), IsOk());
  const HttpRequest clone = request.Clone();
  EXPECT_EQ(clone.method(), Method::kPut);
  EXPECT_EQ(clone.target(), "/v1/secret/x?a=b");
  EXPECT_EQ(clone.api_path(), "secret/x");
  EXPECT_EQ(clone.body().Reveal(), "{}");
  EXPECT_TRUE(clone.idempotent());
  ASSERT_EQ(clone.headers().size(), 1u);
  EXPECT_EQ(clone.headers()[0].second.Reveal(), "t");
}

TEST(HttpRequestTest, OnlyReadsAreIdempotentByThemselves) {
  EXPECT_TRUE(HttpRequest(Method::kGet, "x").idempotent());
  EXPECT_TRUE(HttpRequest(Method::kList, "x").idempotent());
  EXPECT_FALSE(HttpRequest(Method::kPost, "x").idempotent());
  EXPECT_FALSE(HttpRequest(Method::kPut, "x").idempotent());
  EXPECT_FALSE(HttpRequest(Method::kDelete, "x").idempotent());
}

TEST(HttpRequestTest, MethodsHaveTheirNames) {
  EXPECT_EQ(MethodName(Method::kGet), "GET");
  EXPECT_EQ(MethodName(Method::kList), "LIST");
  EXPECT_EQ(MethodName(Method::kPost), "POST");
  EXPECT_EQ(MethodName(Method::kPut), "PUT");
  EXPECT_EQ(MethodName(Method::kDelete), "DELETE");
}

TEST(HttpResponseTest, FindsTheFirstHeaderInAnyCase) {
  HttpResponse response;
  response.headers = {{"retry-AFTER", "1"}, {"Retry-After", "2"}};
  EXPECT_EQ(response.Header("Retry-After"), "1");
  EXPECT_EQ(response.Header("Retry-Afte"), std::nullopt);
}

}  // namespace
}  // namespace vaultcore
