#include "net/http1.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/status_matchers.h"

namespace vaultcore::net {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

Origin OriginOf(std::string_view address) {
  ConnectionSettings settings;
  settings.address = Endpoint::Parse(address).value();
  return Origin::From(settings);
}

std::string Serialized(const HttpRequest& request, const Origin& origin) {
  WireBuffer out;
  SerializeRequest(request, origin, out);
  return std::string(out.View());
}

TEST(SerializeTest, AReadHasNoBodyAndNoLength) {
  HttpRequest request(Method::kGet, "secret/data/harness/log service");
  ASSERT_THAT(request.AddHeader("X-Vault-Token", Secret::CopyOf("hvs.x")), IsOk());
  EXPECT_EQ(Serialized(request, OriginOf("https://vault:8200/prefix")),
            "GET /prefix/v1/secret/data/harness/log%20service HTTP/1.1\r\n"
            "Host: vault:8200\r\n"
            "X-Vault-Token: hvs.x\r\n"
            "\r\n");
}

TEST(SerializeTest, AListIsItsOwnMethod) {
  EXPECT_THAT(Serialized(HttpRequest(Method::kList, "secret/metadata/x"), OriginOf("http://v:1")),
              HasSubstr("LIST /v1/secret/metadata/x HTTP/1.1\r\n"));
}

TEST(SerializeTest, AWriteHasItsBodyWithTypeAndLength) {
  EXPECT_EQ(Serialized(HttpRequest(Method::kPost, "secret/data/x", Secret::CopyOf("{\"a\":1}")),
                       OriginOf("http://vault:8200")),
            "POST /v1/secret/data/x HTTP/1.1\r\n"
            "Host: vault:8200\r\n"
            "Content-Type: application/json\r\n"
            "Content-Length: 7\r\n"
            "\r\n"
            "{\"a\":1}");
}

TEST(SerializeTest, AnEmptyWriteSaysThatItIsEmpty) {
  EXPECT_THAT(
      Serialized(HttpRequest(Method::kPost, "auth/token/revoke-self"), OriginOf("http://v:1")),
      HasSubstr("Content-Length: 0\r\n\r\n"));
}

TEST(SerializeTest, TheRequestsOwnContentTypeStays) {
  HttpRequest request(Method::kPost, "secret/data/x", Secret::CopyOf("{}"));
  ASSERT_THAT(request.AddHeader("content-type", "application/merge-patch+json"), IsOk());
  const std::string text = Serialized(request, OriginOf("http://v:1"));
  EXPECT_THAT(text, HasSubstr("content-type: application/merge-patch+json\r\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("application/json")));
}

TEST(SerializeTest, ConnectNamesTheServerAndCarriesThePassword) {
  WireBuffer out;
  SerializeConnect("vault:8200", Secret::CopyOf("Basic eDp5"), out);
  EXPECT_EQ(out.View(),
            "CONNECT vault:8200 HTTP/1.1\r\nHost: vault:8200\r\n"
            "Proxy-Authorization: Basic eDp5\r\n\r\n");
}

// Feeds `text` in portions of `portion` bytes, as a connection would, and returns what is left.
StatusOr<std::string> FeedAll(Http1ResponseParser& parser, std::string_view text, size_t portion) {
  std::string pending;
  while (!text.empty() && !parser.done()) {
    pending.append(text.substr(0, portion));
    text.remove_prefix(std::min(portion, text.size()));
    auto used = parser.Feed(pending);
    if (!used.ok()) return used.status();
    pending.erase(0, *used);
  }
  return pending.append(text);
}

class ParserTest : public testing::TestWithParam<size_t> {};

TEST_P(ParserTest, StatedLength) {
  Http1ResponseParser parser(1000);
  const auto rest = FeedAll(parser,
                            "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n"
                            "X-Two: 1\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 ",
                            GetParam());
  ASSERT_THAT(rest, IsOkAndHolds(std::string("HTTP/1.1 ")));
  ASSERT_TRUE(parser.done());
  EXPECT_TRUE(parser.keep_alive());
  const HttpResponse response = parser.Take();
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body.Reveal(), "hello");
  EXPECT_THAT(response.headers, ElementsAre(Pair("Content-Type", "application/json"),
                                            Pair("X-Two", "1"), Pair("Content-Length", "5")));
}

TEST_P(ParserTest, Chunked) {
  Http1ResponseParser parser(1000);
  const auto rest = FeedAll(parser,
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\nmore",
                            GetParam());
  ASSERT_THAT(rest, IsOkAndHolds(std::string("more")));
  ASSERT_TRUE(parser.done());
  EXPECT_EQ(parser.Take().body.Reveal(), "hello world");
}

TEST_P(ParserTest, NoContent) {
  Http1ResponseParser parser(1000);
  EXPECT_THAT(FeedAll(parser, "HTTP/1.1 204 No Content\r\n\r\nnext", GetParam()),
              IsOkAndHolds(std::string("next")));
  ASSERT_TRUE(parser.done());
  EXPECT_TRUE(parser.Take().body.empty());
}

TEST_P(ParserTest, ClosedByTheServer) {
  Http1ResponseParser parser(1000);
  ASSERT_THAT(FeedAll(parser, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it", GetParam()),
              IsOk());
  EXPECT_FALSE(parser.done());
  ASSERT_THAT(parser.FeedEnd(), IsOk());
  ASSERT_TRUE(parser.done());
  EXPECT_FALSE(parser.keep_alive());
  EXPECT_EQ(parser.Take().body.Reveal(), "all of it");
}

TEST_P(ParserTest, LimitsTheBody) {
  for (const char* text : {"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n",
                           "HTTP/1.1 200 OK\r\n\r\nhello world"}) {
    Http1ResponseParser parser(10);
    EXPECT_THAT(FeedAll(parser, text, GetParam()),
                StatusIs(ErrorKind::kProtocol, HasSubstr("larger than 10 bytes")))
        << text;
  }
}

TEST_P(ParserTest, LimitsTheHeaders) {
  Http1ResponseParser parser(10);
  const std::string text = "HTTP/1.1 200 OK\r\nX: " + std::string(kMaxHeaderBytes, 'x');
  EXPECT_THAT(FeedAll(parser, text, GetParam() * 100),
              StatusIs(ErrorKind::kProtocol, HasSubstr("headers are larger")));
}

TEST_P(ParserTest, RefusesWhatIsNotHttp) {
  for (const char* text :
       {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    Http1ResponseParser parser(1000);
    EXPECT_THAT(FeedAll(parser, text, GetParam()), StatusIs(ErrorKind::kProtocol)) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Portions, ParserTest, testing::Values(1, 7, 10'000));

TEST(ParserEndTest, AnAnswerCutShortIsNoAnswer) {
  for (const char* text : {"", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}) {
    Http1ResponseParser parser(1000);
    ASSERT_THAT(parser.Feed(text), IsOk());
    EXPECT_THAT(parser.FeedEnd(), StatusIs(ErrorKind::kUnavailable, HasSubstr("middle")));
    EXPECT_FALSE(parser.done());
  }
}

TEST(ParserEndTest, TheAnswerToConnectHasNoBody) {
  Http1ResponseParser parser(1000, Http1ResponseParser::Body::kNone);
  EXPECT_THAT(parser.Feed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), IsOk());
  EXPECT_TRUE(parser.done());
}

TEST(ParserEndTest, Http10EndsTheConnectionUnlessItSaysOtherwise) {
  Http1ResponseParser parser(1000);
  ASSERT_THAT(parser.Feed("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"), IsOk());
  ASSERT_TRUE(parser.done());
  EXPECT_FALSE(parser.keep_alive());
}

TEST(LooksLikeTlsTest, KnowsAlertsAndHandshakes) {
  EXPECT_TRUE(LooksLikeTls(std::string_view("\x15\x03\x01\x00\x02\x02\x46", 7)));
  EXPECT_TRUE(LooksLikeTls(std::string_view("\x16\x03\x03\x00", 4)));
  EXPECT_FALSE(LooksLikeTls("HTTP/1.1"));
  EXPECT_FALSE(LooksLikeTls(std::string_view("\x15\x03", 2)));
}

}  // namespace
}  // namespace vaultcore::net
