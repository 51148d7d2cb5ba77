#include "vaultcore/model/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/status_matchers.h"

namespace vaultcore {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Good {
  const char* url;
  Endpoint endpoint;
  const char* text;
  const char* authority;
};

TEST(EndpointTest, ParsesAddresses) {
  const Good cases[] = {
      {"https://vault.example:8200",
       {true, "vault.example", 8200, ""},
       "https://vault.example:8200",
       "vault.example:8200"},
      {"HTTP://Vault.Example",
       {false, "vault.example", 80, ""},
       "http://vault.example:80",
       "vault.example:80"},
      {"https://vault/", {true, "vault", 443, ""}, "https://vault:443", "vault:443"},
      {"https://vault:/", {true, "vault", 443, ""}, "https://vault:443", "vault:443"},
      {"https://vault:8200/a/b//",
       {true, "vault", 8200, "/a/b"},
       "https://vault:8200/a/b",
       "vault:8200"},
      {"http://127.0.0.1:8200",
       {false, "127.0.0.1", 8200, ""},
       "http://127.0.0.1:8200",
       "127.0.0.1:8200"},
      {"https://[::1]:8200/x", {true, "::1", 8200, "/x"}, "https://[::1]:8200/x", "[::1]:8200"},
      {"https://[2001:DB8::1]",
       {true, "2001:db8::1", 443, ""},
       "https://[2001:db8::1]:443",
       "[2001:db8::1]:443"},
      {"http://vault.vault.svc.cluster.local.:8200",
       {false, "vault.vault.svc.cluster.local.", 8200, ""},
       "http://vault.vault.svc.cluster.local.:8200",
       "vault.vault.svc.cluster.local.:8200"},
      {"https://under_score-1:65535",
       {true, "under_score-1", 65535, ""},
       "https://under_score-1:65535",
       "under_score-1:65535"},
  };
  for (const Good& good : cases) {
    const auto endpoint = Endpoint::Parse(good.url);
    ASSERT_THAT(endpoint, IsOk()) << good.url;
    EXPECT_TRUE(*endpoint == good.endpoint) << good.url;
    EXPECT_EQ(endpoint->ToString(), good.text);
    EXPECT_EQ(endpoint->Authority(), good.authority);
    EXPECT_THAT(Endpoint::Parse(endpoint->ToString()), IsOkAndHolds(good.endpoint));
  }
}

TEST(EndpointTest, RefusesTheRest) {
  const struct {
    const char* url;
    const char* why;
  } cases[] = {
      {"", "empty"},
      {"vault:8200", "no scheme"},
      {"//vault", "no scheme"},
      {"unix:///run/vault.sock", "neither http://"},
      {"ftp://vault", "neither http://"},
      {"https://", "no host"},
      {"https://:8200", "no host"},
      {"https:///path", "no host"},
      {"https://vault:0", "port"},
      {"https://vault:65536", "port"},
      {"https://vault:+80", "port"},
      {"https://vault:80x", "port"},
      {"https://vault:99999999999999999999", "port"},
      {"https://vault?x=1", "query"},
      {"https://vault/a#b", "fragment"},
      {"https://va ult", "space"},
      {"https://vault\r\nX: y", "control"},
      {"https://v\xC3\xA4ult", "ASCII"},
      {"https://::1", "brackets"},
      {"https://[::1", "without \"]\""},
      {"https://[vault]", "not an IPv6 address"},
      {"https://[127.0.0.1]", "not an IPv6 address"},
      {"https://[::1]8200", "after \"]\""},
      {"https://a..b", "not a name"},
      {"https://.a", "not a name"},
      {"https://a%2fb", "not a name"},
      {"https://a\\b", "not a name"},
  };
  for (const auto& [url, why] : cases) {
    EXPECT_THAT(Endpoint::Parse(url), StatusIs(ErrorKind::kUsage, HasSubstr(why))) << url;
  }
}

TEST(EndpointTest, NeverEchoesUserInfo) {
  for (const char* url : {"https://canary:canary@vault:8200", "https://canary@vault",
                          "https://canary:canary@@:99999/?"}) {
    const auto endpoint = Endpoint::Parse(url);
    EXPECT_THAT(endpoint, StatusIs(ErrorKind::kUsage, HasSubstr("user name")));
    EXPECT_THAT(endpoint.status().ToString(), Not(HasSubstr("canary")));
  }
}

}  // namespace
}  // namespace vaultcore
