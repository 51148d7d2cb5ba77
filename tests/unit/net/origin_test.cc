#include "net/origin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/wire_buffer.h"
#include "support/status_matchers.h"

namespace vaultcore::net {
namespace {

using testing::HasSubstr;

ConnectionSettings SettingsFor(std::string_view address) {
  ConnectionSettings settings;
  settings.address = Endpoint::Parse(address).value();
  return settings;
}

TEST(OriginTest, NamesTheServerInRequests) {
  const Origin origin = Origin::From(SettingsFor("https://vault.example:8200/proxy/vault"));
  EXPECT_EQ(origin.scheme, "https");
  EXPECT_EQ(origin.authority, "vault.example:8200");
  EXPECT_EQ(origin.path_prefix, "/proxy/vault");
  EXPECT_EQ(origin.line_prefix, "/proxy/vault");
  EXPECT_EQ(origin.shown, "https://vault.example:8200");
}

TEST(OriginTest, TheDotAfterAHostIsForTheResolverOnly) {
  ConnectionSettings settings = SettingsFor("https://vault.svc.cluster.local.:8200");
  const Origin origin = Origin::From(settings);
  EXPECT_EQ(origin.authority, "vault.svc.cluster.local:8200");
  EXPECT_EQ(origin.shown, "https://vault.svc.cluster.local.:8200");
  EXPECT_EQ(CertificateName(settings), "vault.svc.cluster.local");
}

TEST(OriginTest, Ipv6HasBracketsInHeadersAndNoneInCertificates) {
  const ConnectionSettings settings = SettingsFor("https://[fd00::1]:8200");
  EXPECT_EQ(Origin::From(settings).authority, "[fd00::1]:8200");
  EXPECT_EQ(CertificateName(settings), "fd00::1");
}

TEST(OriginTest, TheServerNameReplacesTheHostInCertificates) {
  ConnectionSettings settings = SettingsFor("https://10.0.0.1:8200");
  settings.tls.server_name = "vault.example";
  EXPECT_EQ(CertificateName(settings), "vault.example");
}

TEST(OriginTest, PlainHttpThroughAProxyNamesTheWholeAddress) {
  ConnectionSettings settings = SettingsFor("http://vault.example.:8200/p");
  settings.proxy = Endpoint::Parse("http://proxy:3128").value();
  settings.proxy_authorization = Secret::CopyOf("Basic eDp5");
  const Origin origin = Origin::From(settings);
  EXPECT_EQ(origin.line_prefix, "http://vault.example:8200/p");
  EXPECT_EQ(origin.path_prefix, "/p");
  EXPECT_EQ(origin.proxy_authorization.Reveal(), "Basic eDp5");
}

TEST(OriginTest, HttpsThroughAProxyKeepsTheProxysPasswordOutOfRequests) {
  ConnectionSettings settings = SettingsFor("https://vault.example:8200/p");
  settings.proxy = Endpoint::Parse("http://proxy:3128").value();
  settings.proxy_authorization = Secret::CopyOf("Basic eDp5");
  const Origin origin = Origin::From(settings);
  EXPECT_EQ(origin.line_prefix, "/p");
  EXPECT_TRUE(origin.proxy_authorization.empty());
}

TEST(OriginTest, AProxysRefusalSaysWhatToDo) {
  ConnectionSettings settings = SettingsFor("https://vault.example:8200");
  settings.proxy = Endpoint::Parse("http://proxy:3128").value();
  const Origin origin = Origin::From(settings);
  EXPECT_THAT(ProxyRefusal(origin, 407), StatusIs(ErrorKind::kAuth, HasSubstr("proxy proxy:3128")));
  EXPECT_THAT(ProxyRefusal(origin, 407), HintIs(HasSubstr("USER:PASSWORD@")));
  EXPECT_THAT(ProxyRefusal(origin, 502),
              StatusIs(ErrorKind::kUnavailable, HasSubstr("https://vault.example:8200")));
  EXPECT_THAT(ProxyRefusal(origin, 403), StatusIs(ErrorKind::kRejected, HasSubstr("HTTP 403")));
  EXPECT_THAT(ProxyRefusal(origin, 403), HintIs(HasSubstr("NO_PROXY")));
}

TEST(IpLiteralTest, TellsAddressesFromNames) {
  EXPECT_TRUE(IsIpLiteral("10.0.0.1"));
  EXPECT_TRUE(IsIpLiteral("::1"));
  EXPECT_FALSE(IsIpLiteral("vault"));
  EXPECT_FALSE(IsIpLiteral("10.0.0.1.example"));
  EXPECT_FALSE(IsIpLiteral("10.0.0"));
}

TEST(ShareOfTimeTest, EveryAddressGetsItsShare) {
  EXPECT_EQ(ShareOfTime(Milliseconds(10'000), 1), Milliseconds(10'000));
  EXPECT_EQ(ShareOfTime(Milliseconds(10'000), 2), Milliseconds(5'000));
  EXPECT_EQ(ShareOfTime(Milliseconds(10'000), 10), Milliseconds(2'000));
  EXPECT_EQ(ShareOfTime(Milliseconds(500), 10), Milliseconds(500));
}

TEST(ShowDurationTest, IsShort) {
  EXPECT_EQ(ShowDuration(Milliseconds(250)), "250ms");
  EXPECT_EQ(ShowDuration(Milliseconds(1500)), "1.5s");
  EXPECT_EQ(ShowDuration(Milliseconds(60'000)), "60s");
}

TEST(AsClauseTest, IsInTheHouseStyle) {
  EXPECT_EQ(AsClause("Connection refused"), "connection refused");
  EXPECT_EQ(AsClause("TLS is broken."), "TLS is broken");
  EXPECT_EQ(AsClause(""), "");
}

TEST(PipeliningTest, OnlyReadsThatMayBeRepeated) {
  EXPECT_TRUE(MayBePipelined(HttpRequest(Method::kGet, "secret/data/x")));
  EXPECT_TRUE(MayBePipelined(HttpRequest(Method::kList, "secret/metadata/x")));
  EXPECT_FALSE(MayBePipelined(HttpRequest(Method::kPost, "secret/data/x", Secret::CopyOf("{}"))));
  HttpRequest login(Method::kPost, "auth/approle/login", Secret::CopyOf("{}"));
  login.set_idempotent(true);
  EXPECT_FALSE(MayBePipelined(login));
  HttpRequest credentials(Method::kGet, "database/creds/x");
  credentials.set_idempotent(false);
  EXPECT_FALSE(MayBePipelined(credentials));
}

TEST(WireBufferTest, ConsumesFromTheFront) {
  WireBuffer buffer;
  EXPECT_TRUE(buffer.empty());
  buffer.Append("hello ");
  buffer.Append("world");
  buffer.Consume(3);
  EXPECT_EQ(buffer.View(), "lo world");
  buffer.Append(std::string(5000, 'x'));
  EXPECT_EQ(buffer.size(), 5008u);
  EXPECT_EQ(buffer.View().substr(0, 9), "lo worldx");
  buffer.Consume(5008);
  EXPECT_TRUE(buffer.empty());
  buffer.Append("again");
  EXPECT_EQ(buffer.View(), "again");
}

TEST(WireBufferTest, WhatIsConsumedIsWiped) {
  WireBuffer buffer;
  buffer.Append("hvs.secret-token then more");
  const std::string_view all = buffer.View();
  buffer.Consume(16);
  EXPECT_EQ(all.substr(0, 16), std::string(16, '\0'));
  EXPECT_EQ(all.substr(16), " then more");
}

}  // namespace
}  // namespace vaultcore::net
