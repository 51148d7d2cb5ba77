#include "vaultcore/config/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "support/status_matchers.h"

namespace vaultcore {
namespace {

using testing::HasSubstr;
using testing::Not;

using Variables = std::map<std::string, std::string, std::less<>>;

EnvironmentLookup Environment(Variables variables) {
  return [variables = std::move(variables)](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

TEST(VaultEnvironmentTest, EveryVariableHasItsPlace) {
  ConnectionSettings settings;
  ASSERT_THAT(ApplyVaultEnvironment(Environment({{"VAULT_CACERT", "/ca.pem"},
                                                 {"VAULT_CACERT_BYTES", "PEM"},
                                                 {"VAULT_CAPATH", "/certs"},
                                                 {"VAULT_CLIENT_CERT", "/client.pem"},
                                                 {"VAULT_CLIENT_KEY", "/client.key"},
                                                 {"VAULT_TLS_SERVER_NAME", "vault.internal"},
                                                 {"VAULT_SKIP_VERIFY", "1"},
                                                 {"VAULT_NAMESPACE", "team/a"},
                                                 {"VAULT_CLIENT_TIMEOUT", "1m30s"},
                                                 {"VAULT_MAX_RETRIES", "7"},
                                                 {"VAULT_RATE_LIMIT", "2.5:20"}}),
                                    settings),
              IsOk());
  EXPECT_EQ(settings.tls.ca_file, "/ca.pem");
  EXPECT_EQ(settings.tls.ca_pem, "PEM");
  EXPECT_EQ(settings.tls.ca_dir, "/certs");
  EXPECT_EQ(settings.tls.client_cert, "/client.pem");
  EXPECT_EQ(settings.tls.client_key, "/client.key");
  EXPECT_EQ(settings.tls.server_name, "vault.internal");
  EXPECT_TRUE(settings.tls.skip_verify);
  EXPECT_EQ(settings.vault_namespace, "team/a");
  EXPECT_EQ(settings.request_timeout, Milliseconds(90'000));
  EXPECT_EQ(settings.max_retries, 7);
  EXPECT_EQ(settings.rate_limit, 2.5);
  EXPECT_EQ(settings.rate_burst, 20);
}

TEST(VaultEnvironmentTest, EmptyAndUnsetVariablesChangeNothing) {
  ConnectionSettings settings;
  settings.tls.ca_file = "/from/config";
  settings.tls.skip_verify = true;
  settings.max_retries = 9;
  Variables empty;
  for (const char* name : {"VAULT_CACERT", "VAULT_SKIP_VERIFY", "VAULT_CLIENT_TIMEOUT",
                           "VAULT_MAX_RETRIES", "VAULT_RATE_LIMIT", "VAULT_NAMESPACE"}) {
    empty[name] = "";
  }
  ASSERT_THAT(ApplyVaultEnvironment(Environment(empty), settings), IsOk());
  ASSERT_THAT(ApplyVaultEnvironment(Environment({}), settings), IsOk());
  EXPECT_EQ(settings.tls.ca_file, "/from/config");
  EXPECT_TRUE(settings.tls.skip_verify);
  EXPECT_EQ(settings.max_retries, 9);
  EXPECT_EQ(settings.request_timeout, Milliseconds(60'000));
}

// The twelve spellings of Go's strconv.ParseBool, and nothing else.
TEST(VaultEnvironmentTest, SkipVerifyReadsBooleansAsGoDoes) {
  for (const bool expected : {true, false}) {
    const std::initializer_list<const char*> yes = {"1", "t", "T", "true", "TRUE", "True"};
    const std::initializer_list<const char*> no = {"0", "f", "F", "false", "FALSE", "False"};
    for (const char* text : expected ? yes : no) {
      ConnectionSettings settings;
      settings.tls.skip_verify = !expected;
      ASSERT_THAT(ApplyVaultEnvironment(Environment({{"VAULT_SKIP_VERIFY", text}}), settings),
                  IsOk());
      EXPECT_EQ(settings.tls.skip_verify, expected) << text;
    }
  }
  for (const char* text : {"yes", "no", "tRUE", " true", "2", "on"}) {
    ConnectionSettings settings;
    EXPECT_THAT(ApplyVaultEnvironment(Environment({{"VAULT_SKIP_VERIFY", text}}), settings),
                StatusIs(ErrorKind::kUsage, HasSubstr("VAULT_SKIP_VERIFY")))
        << text;
  }
}

TEST(VaultEnvironmentTest, BadValuesNameTheirVariable) {
  const struct {
    const char* name;
    const char* value;
  } cases[] = {
      {"VAULT_CLIENT_TIMEOUT", "soon"}, {"VAULT_CLIENT_TIMEOUT", "-5s"},
      {"VAULT_MAX_RETRIES", "-1"},      {"VAULT_MAX_RETRIES", "two"},
      {"VAULT_MAX_RETRIES", "1.5"},     {"VAULT_MAX_RETRIES", "99999999999"},
      {"VAULT_RATE_LIMIT", "fast"},     {"VAULT_RATE_LIMIT", "10:"},
      {"VAULT_RATE_LIMIT", ":10"},      {"VAULT_RATE_LIMIT", "-1"},
      {"VAULT_RATE_LIMIT", "nan"},      {"VAULT_RATE_LIMIT", "10:2.5"},
  };
  for (const auto& [name, value] : cases) {
    ConnectionSettings settings;
    EXPECT_THAT(ApplyVaultEnvironment(Environment({{name, value}}), settings),
                StatusIs(ErrorKind::kUsage, HasSubstr(name)))
        << value;
  }
}

TEST(VaultEnvironmentTest, ATimeoutOfZeroIsNone) {
  ConnectionSettings settings;
  ASSERT_THAT(ApplyVaultEnvironment(Environment({{"VAULT_CLIENT_TIMEOUT", "0"}}), settings),
              IsOk());
  EXPECT_GT(settings.request_timeout, std::chrono::hours(24));
}

TEST(VaultEnvironmentTest, Address) {
  const auto none = VaultAddressFrom(Environment({{"VAULT_ADDR", ""}}));
  ASSERT_THAT(none, IsOk());
  EXPECT_FALSE(none->has_value());
  const auto some = VaultAddressFrom(Environment({{"VAULT_ADDR", "https://vault:8200"}}));
  ASSERT_THAT(some, IsOk());
  ASSERT_TRUE(some->has_value());
  EXPECT_EQ((*some)->ToString(), "https://vault:8200");
  EXPECT_THAT(VaultAddressFrom(Environment({{"VAULT_ADDR", "vault:8200"}})),
              StatusIs(ErrorKind::kUsage, HasSubstr("VAULT_ADDR")));
}

// What proxy the environment gives for `url`: its authority, "" for none, or the error.
std::string ProxyFor(std::string_view url, Variables variables) {
  ConnectionSettings settings;
  settings.address = *Endpoint::Parse(url);
  settings.proxy = *Endpoint::Parse("http://stale:1");
  const Status status = SetProxyFromEnvironment(Environment(std::move(variables)), settings);
  if (!status.ok()) return std::string(MessageOf(status));
  return settings.proxy ? settings.proxy->Authority() : "";
}

TEST(ProxyTest, IsChosenByScheme) {
  const Variables both = {{"HTTPS_PROXY", "http://s:1"}, {"HTTP_PROXY", "http://p:2"}};
  EXPECT_EQ(ProxyFor("https://vault", both), "s:1");
  EXPECT_EQ(ProxyFor("http://vault", both), "p:2");
  EXPECT_EQ(ProxyFor("https://vault", {{"HTTP_PROXY", "http://p:2"}}), "");
  EXPECT_EQ(ProxyFor("https://vault", {{"https_proxy", "http://lower:1"}}), "lower:1");
  EXPECT_EQ(ProxyFor("http://vault", {{"http_proxy", "http://lower:1"}, {"HTTP_PROXY", "u:2"}}),
            "u:2");
  EXPECT_EQ(ProxyFor("https://vault", {{"HTTPS_PROXY", ""}}), "");
  EXPECT_EQ(ProxyFor("https://vault", {}), "");
}

TEST(ProxyTest, VaultsOwnVariablesComeFirstAndKnowNoExceptions) {
  const Variables variables = {
      {"VAULT_HTTP_PROXY", "http://v:1"}, {"HTTPS_PROXY", "http://s:1"}, {"NO_PROXY", "*"}};
  EXPECT_EQ(ProxyFor("https://127.0.0.1:8200", variables), "v:1");
  Variables both = variables;
  both["VAULT_PROXY_ADDR"] = "http://w:1";
  EXPECT_EQ(ProxyFor("https://vault", both), "w:1");
}

TEST(ProxyTest, LoopbackIsNeverProxied) {
  const Variables proxy = {{"HTTPS_PROXY", "http://p:1"}};
  for (const char* url : {"https://localhost", "https://127.0.0.1", "https://127.9.9.9:8200",
                          "https://[::1]:8200", "https://LOCALHOST"}) {
    EXPECT_EQ(ProxyFor(url, proxy), "") << url;
  }
  EXPECT_EQ(ProxyFor("https://localhost.example", proxy), "p:1");
}

TEST(ProxyTest, NoProxyEntries) {
  const struct {
    const char* no_proxy;
    const char* url;
    bool direct;
  } cases[] = {
      {"*", "https://anything", true},
      {"vault.example", "https://vault.example", true},
      {"vault.example", "https://VAULT.example:8200", true},
      {"vault.example", "https://vault.example.", true},
      {"example", "https://vault.example", true},
      {"ample", "https://vault.example", false},
      {".example", "https://vault.example", true},
      {".vault.example", "https://vault.example", false},
      {"*.example", "https://vault.example", true},
      {"*.vault.example", "https://vault.example", false},
      {" a , , VAULT.Example ", "https://vault.example", true},
      {"vault.example:8200", "https://vault.example:8200", true},
      {"vault.example:8200", "https://vault.example:8201", false},
      {"vault.example:443", "https://vault.example", true},
      {"10.0.0.0/8", "https://10.1.2.3", true},
      {"10.0.0.0/8", "https://11.1.2.3", false},
      {"10.1.0.0/15", "https://10.0.255.255", true},
      {"10.2.0.0/15", "https://10.4.0.0", false},
      {"0.0.0.0/0", "https://8.8.8.8", true},
      {"0.0.0.0/0", "https://[2001:db8::1]", false},
      {"10.0.0.0/33", "https://10.0.0.1", false},
      {"10.0.0.0/8", "https://ten.example", false},
      {"10.1.2.3", "https://10.1.2.3", true},
      {"10.1.2.3:8200", "https://10.1.2.3:8201", false},
      {"2001:db8::1", "https://[2001:DB8:0::1]", true},
      {"[2001:db8::1]:8200", "https://[2001:db8::1]:8200", true},
      {"[2001:db8::1]:8200", "https://[2001:db8::1]:8201", false},
      {"2001:db8::/32", "https://[2001:db8:ffff::1]", true},
      {"2001:db8::/32", "https://[2001:db9::1]", false},
      {"1.2.3", "https://9.1.2.3", false},
      {",", "https://vault", false},
      {":80", "https://vault:80", false},
  };
  for (const auto& [no_proxy, url, direct] : cases) {
    EXPECT_EQ(ProxyFor(url, {{"HTTPS_PROXY", "http://p:1"}, {"NO_PROXY", no_proxy}}),
              direct ? "" : "p:1")
        << no_proxy << " and " << url;
  }
  EXPECT_EQ(ProxyFor("https://vault", {{"HTTPS_PROXY", "http://p:1"}, {"no_proxy", "vault"}}), "");
}

TEST(ProxyTest, TheSchemeMayBeMissing) {
  EXPECT_EQ(ProxyFor("https://vault", {{"HTTPS_PROXY", "proxy:3128"}}), "proxy:3128");
  EXPECT_EQ(ProxyFor("https://vault", {{"HTTPS_PROXY", "HTTP://Proxy/"}}), "proxy:80");
}

TEST(ProxyTest, UserInfoBecomesAnAuthorization) {
  ConnectionSettings settings;
  settings.address = *Endpoint::Parse("https://vault");
  ASSERT_THAT(SetProxyFromEnvironment(
                  Environment({{"HTTPS_PROXY", "http://me:p%40ss%3a%2F@proxy:3128"}}), settings),
              IsOk());
  ASSERT_TRUE(settings.proxy.has_value());
  EXPECT_EQ(settings.proxy->Authority(), "proxy:3128");
  EXPECT_EQ(settings.proxy_authorization.Reveal(), "Basic bWU6cEBzczov");  // me:p@ss:/
  ASSERT_THAT(SetProxyFromEnvironment(Environment({{"HTTPS_PROXY", "me@proxy"}}), settings),
              IsOk());
  EXPECT_EQ(settings.proxy_authorization.Reveal(), "Basic bWU6");  // me:
  ASSERT_THAT(SetProxyFromEnvironment(Environment({}), settings), IsOk());
  EXPECT_TRUE(settings.proxy_authorization.empty());
  EXPECT_FALSE(settings.proxy.has_value());
}

TEST(ProxyTest, BadProxiesNameTheVariableAndNoPassword) {
  for (const char* proxy :
       {"socks5://me:canary@proxy:1080", "https://me:canary@proxy", "http://me:canary%@proxy",
        "http://me:canary%4@proxy", "http://me:canary@", "http://me:canary@proxy:port"}) {
    const std::string error = ProxyFor("https://vault", {{"HTTPS_PROXY", proxy}});
    EXPECT_THAT(error, HasSubstr("HTTPS_PROXY")) << proxy;
    EXPECT_THAT(error, Not(HasSubstr("canary")));
  }
}

TEST(DurationTest, ReadsGoDurationsAndSeconds) {
  const struct {
    const char* text;
    int64_t milliseconds;
  } cases[] = {
      {"60", 60'000},
      {"60s", 60'000},
      {"1m30s", 90'000},
      {"500ms", 500},
      {"1h", 3'600'000},
      {"1.5h", 5'400'000},
      {"1d", 86'400'000},
      {"0", 0},
      {"0s", 0},
      {"1us", 1},
      {"1\xC2\xB5s", 1},
      {"999ns", 1},
      {"1h2m3.5s", 3'723'500},
      {".5s", 500},
      {"2.s", 2'000},
  };
  for (const auto& [text, milliseconds] : cases) {
    EXPECT_THAT(ParseDuration(text), IsOkAndHolds(Milliseconds(milliseconds))) << text;
  }
}

TEST(DurationTest, RefusesTheRest) {
  for (const char* text : {"", " 1s", "1s ", "-1s", "+1s", "s", ".s", "1.2.3s", "1x", "1m30",
                           "1e3s", "one", "99999999999999999999s", "9999999999999999999", "400d"}) {
    EXPECT_THAT(ParseDuration(text), StatusIs(ErrorKind::kUsage)) << text;
  }
}

}  // namespace
}  // namespace vaultcore
