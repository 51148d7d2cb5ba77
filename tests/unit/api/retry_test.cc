#include "vaultcore/api/retry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "golden/golden.h"
#include "support/status_matchers.h"

namespace vaultcore {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr Milliseconds kForever = Milliseconds::max();
constexpr RetryPolicy kPolicy{/*max_retries=*/2, Milliseconds(250), Milliseconds(10'000)};
constexpr RetryPolicy kEndless{/*max_retries=*/-1, Milliseconds(250), Milliseconds(10'000)};

HttpResponse Answer(int status, std::vector<std::pair<std::string, std::string>> headers = {}) {
  HttpResponse response;
  response.status = status;
  response.headers = std::move(headers);
  return response;
}

std::optional<Milliseconds> WaitAfter(const HttpResponse& response, bool idempotent,
                                      const RetryPolicy& policy = kPolicy, int attempt = 0,
                                      Milliseconds time_left = kForever, double jitter = 1.0) {
  Outcome outcome;
  outcome.response = &response;
  return RetryAfter(policy, attempt, outcome, idempotent, time_left, jitter);
}

std::optional<Milliseconds> WaitAfter(ErrorKind kind, bool request_sent, bool idempotent) {
  const Status error = MakeError(kind, "x");
  Outcome outcome;
  outcome.error = &error;
  outcome.request_sent = request_sent;
  return RetryAfter(kPolicy, 0, outcome, idempotent, kForever, 1.0);
}

TEST(RetryAfterTest, DecidesByStatus) {
  struct Case {
    int status;
    bool if_idempotent;
    bool if_not;
  };
  for (const Case& expected : {
           Case{200, false, false},
           Case{204, false, false},
           Case{307, false, false},
           Case{400, false, false},
           Case{401, false, false},
           Case{403, false, false},
           Case{404, false, false},
           Case{405, false, false},
           Case{412, true, true},
           Case{413, false, false},
           Case{429, true, true},
           Case{472, false, false},
           Case{500, true, false},
           Case{501, true, true},
           Case{502, true, false},
           Case{503, true, true},
           Case{504, true, false},
           Case{599, true, false},
       }) {
    EXPECT_EQ(WaitAfter(Answer(expected.status), true).has_value(), expected.if_idempotent)
        << expected.status;
    EXPECT_EQ(WaitAfter(Answer(expected.status), false).has_value(), expected.if_not)
        << expected.status;
  }
}

TEST(RetryAfterTest, DecidesByError) {
  struct Case {
    ErrorKind kind;
    bool retried;
  };
  for (const Case& expected : {
           Case{ErrorKind::kUnavailable, true},
           Case{ErrorKind::kTimeout, true},
           Case{ErrorKind::kTls, false},
           Case{ErrorKind::kCancelled, false},
           Case{ErrorKind::kProtocol, false},
           Case{ErrorKind::kUsage, false},
           Case{ErrorKind::kRejected, false},
           Case{ErrorKind::kInternal, false},
           Case{ErrorKind::kIo, false},
       }) {
    EXPECT_EQ(WaitAfter(expected.kind, true, true).has_value(), expected.retried)
        << testing::PrintToString(expected.kind);
    // What the server never saw may be repeated, whatever it is.
    EXPECT_EQ(WaitAfter(expected.kind, false, false).has_value(), expected.retried)
        << testing::PrintToString(expected.kind);
    // What it may have acted on may not.
    EXPECT_EQ(WaitAfter(expected.kind, true, false), std::nullopt)
        << testing::PrintToString(expected.kind);
  }
}

TEST(RetryAfterTest, WhatVaultWouldRefuseAgainIsNotRepeated) {
  for (const char* golden : {"kv2_write_long_value", "kv2_write_large_entry"}) {
    EXPECT_EQ(WaitAfter(ReadGolden(golden).response, true), std::nullopt) << golden;
  }
  EXPECT_TRUE(WaitAfter(ReadGolden("database_creds_down").response, true).has_value());
  EXPECT_TRUE(WaitAfter(ReadGolden("read_sealed").response, false).has_value());
  EXPECT_TRUE(WaitAfter(ReadGolden("rate_limited").response, false).has_value());
}

TEST(RetryAfterTest, WaitsDoubleUpToTheCap) {
  struct Case {
    int attempt;
    int64_t shortest;
    int64_t longest;
  };
  for (const Case& expected :
       {Case{0, 125, 250}, Case{1, 250, 500}, Case{2, 500, 1000}, Case{3, 1000, 2000},
        Case{4, 2000, 4000}, Case{5, 4000, 8000}, Case{6, 5000, 10'000}, Case{7, 5000, 10'000},
        Case{1'000'000, 5000, 10'000}}) {
    EXPECT_EQ(WaitAfter(Answer(503), true, kEndless, expected.attempt, kForever, 0.0),
              Milliseconds(expected.shortest));
    EXPECT_EQ(WaitAfter(Answer(503), true, kEndless, expected.attempt, kForever, 1.0),
              Milliseconds(expected.longest));
    EXPECT_EQ(WaitAfter(Answer(503), true, kEndless, expected.attempt, kForever, 0.5),
              Milliseconds((expected.shortest + expected.longest) / 2));
  }
}

TEST(RetryAfterTest, CountsFurtherTries) {
  EXPECT_TRUE(WaitAfter(Answer(503), true, kPolicy, 0).has_value());
  EXPECT_TRUE(WaitAfter(Answer(503), true, kPolicy, 1).has_value());
  EXPECT_EQ(WaitAfter(Answer(503), true, kPolicy, 2), std::nullopt);
  EXPECT_EQ(WaitAfter(Answer(503), true, {.max_retries = 0}, 0), std::nullopt);
}

TEST(RetryAfterTest, AWaitThatLeavesNoTimeIsGivingUp) {
  const auto with = [](int64_t time_left) {
    return WaitAfter(Answer(503), true, kPolicy, 0, Milliseconds(time_left));
  };
  EXPECT_EQ(with(251), Milliseconds(250));
  EXPECT_EQ(with(250), std::nullopt);
  EXPECT_EQ(with(0), std::nullopt);
  EXPECT_EQ(WaitAfter(Answer(503, {{"Retry-After", "10"}}), true, kPolicy, 0, Milliseconds(9'000)),
            std::nullopt);
}

TEST(RetryAfterTest, HonoursRetryAfterWhereItIsLonger) {
  const auto with = [](int status, const char* retry_after) {
    return WaitAfter(Answer(status, {{"Retry-After", retry_after}}), true);
  };
  EXPECT_EQ(with(503, "2"), Milliseconds(2000));
  EXPECT_EQ(with(429, "2"), Milliseconds(2000));
  EXPECT_EQ(with(503, "0"), Milliseconds(250));
  EXPECT_EQ(with(503, "soon"), Milliseconds(250));
  EXPECT_EQ(with(500, "2"), Milliseconds(250));
  EXPECT_EQ(with(412, "2"), Milliseconds(250));
}

TEST(ParseRetryAfterTest, Seconds) {
  const auto parse = [](const char* value) {
    return ParseRetryAfter(Answer(503, {{"retry-after", value}}));
  };
  EXPECT_EQ(parse("0"), Milliseconds(0));
  EXPECT_EQ(parse("120"), Milliseconds(120'000));
  for (const char* value : {"", "-1", "+1", "1.5", "1s", " 1", "0x10"}) {
    EXPECT_EQ(parse(value), std::nullopt) << value;
  }
  // A year at most, so that nothing overflows.
  const auto longest = Milliseconds(365LL * 24 * 3600 * 1000);
  EXPECT_EQ(parse("9223372036854775807"), longest);
  EXPECT_EQ(parse("99999999999999999999999999"), longest);
  EXPECT_EQ(ParseRetryAfter(Answer(503)), std::nullopt);
}

TEST(ParseRetryAfterTest, DatesAreMeasuredFromTheAnswersOwn) {
  const auto parse = [](const char* retry_after, const char* date) {
    return ParseRetryAfter(Answer(503, {{"Retry-After", retry_after}, {"Date", date}}));
  };
  constexpr const char* kDate = "Sun, 06 Nov 1994 08:49:37 GMT";
  EXPECT_EQ(parse("Sun, 06 Nov 1994 08:49:40 GMT", kDate), Milliseconds(3000));
  EXPECT_EQ(parse("Tue, 08 Nov 1994 08:49:37 GMT", kDate), Milliseconds(172'800'000));
  EXPECT_EQ(parse("Mon, 01 Mar 2100 00:00:00 GMT", "Sun, 28 Feb 2100 23:59:59 GMT"),
            Milliseconds(1000));
  EXPECT_EQ(parse("Fri, 04 Nov 1994 08:49:37 GMT", kDate), Milliseconds(0));
  for (const char* broken :
       {"Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Xxx 1994 08:49:37 GMT",
        "Sun, x6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08-49-37 GMT"}) {
    EXPECT_EQ(parse(broken, kDate), std::nullopt) << broken;
    EXPECT_EQ(parse(kDate, broken), std::nullopt) << broken;
  }
  EXPECT_EQ(ParseRetryAfter(Answer(503, {{"Retry-After", kDate}})), std::nullopt);
}

Endpoint At(std::string_view url) { return *Endpoint::Parse(url); }

StatusOr<std::optional<Redirect>> Follow(std::string_view from, std::string location,
                                         int status = 307) {
  return RedirectOf(At(from), Answer(status, {{"Location", std::move(location)}}));
}

TEST(RedirectTest, OnlyRedirectsAreOnes) {
  for (const int status : {200, 204, 300, 303, 304, 400, 404, 503}) {
    const auto redirect = Follow("https://vault:8200", "https://vault:8201/v1/x", status);
    ASSERT_THAT(redirect, IsOk()) << status;
    EXPECT_FALSE(redirect->has_value()) << status;
  }
  for (const int status : {301, 302, 307, 308}) {
    const auto redirect = Follow("https://vault:8200", "https://vault:8201/v1/x", status);
    ASSERT_THAT(redirect, IsOk()) << status;
    EXPECT_TRUE(redirect->has_value()) << status;
  }
}

TEST(RedirectTest, AStandbysOwnAnswer) {
  const GoldenExchange golden = ReadGolden("redirect_standby");
  const auto redirect = RedirectOf(At("https://127.0.0.1:8300"), golden.response);
  ASSERT_THAT(redirect, IsOk());
  ASSERT_TRUE(redirect->has_value());
  EXPECT_EQ((*redirect)->endpoint.ToString(), "https://127.0.0.1:8200");
  EXPECT_EQ((*redirect)->target, golden.target);
}

TEST(RedirectTest, FollowsWithinTheHost) {
  struct Case {
    const char* from;
    const char* location;
    const char* endpoint;
    const char* target;
  };
  for (const Case& expected : {
           Case{"https://vault:8200", "https://VAULT:8300/v1/a?list=true", "https://vault:8300",
                "/v1/a?list=true"},
           Case{"https://vault:8200", "/v1/a", "https://vault:8200", "/v1/a"},
           Case{"https://vault:8200/old", "/new/v1/a", "https://vault:8200/new", "/v1/a"},
           Case{"https://vault:8200", "//vault:8300/v1/a", "https://vault:8300", "/v1/a"},
           Case{"http://vault:8200", "https://vault:8200/v1/a", "https://vault:8200", "/v1/a"},
           Case{"https://[::1]:8200", "https://[::1]:8300/p/v1/a#frag", "https://[::1]:8300/p",
                "/v1/a"},
           Case{"https://vault", "https://vault/v1/secret/data/v1/x", "https://vault:443",
                "/v1/secret/data/v1/x"},
       }) {
    const auto redirect = Follow(expected.from, expected.location);
    ASSERT_THAT(redirect, IsOk()) << expected.location;
    ASSERT_TRUE(redirect->has_value()) << expected.location;
    EXPECT_EQ((*redirect)->endpoint.ToString(), expected.endpoint);
    EXPECT_EQ((*redirect)->target, expected.target);
  }
}

TEST(RedirectTest, NeverTakesTheTokenElsewhere) {
  EXPECT_THAT(Follow("https://vault:8200", "https://other:8200/v1/a"),
              AllOf(StatusIs(ErrorKind::kRejected,
                             "https://vault:8200 answers with a redirect (HTTP 307) to another "
                             "host, https://other:8200, which must not be given the token"),
                    HintIs("if that is the active Vault node, set the address to "
                           "https://other:8200")));
  EXPECT_THAT(Follow("https://vault:8200", "http://vault:8200/v1/a"),
              AllOf(StatusIs(ErrorKind::kRejected, HasSubstr("from https to plain http")),
                    HintIs(HasSubstr("api_addr"))));
  for (const char* elsewhere :
       {"https://vault.evil:8200/v1/a", "https://vault:8200@evil/v1/a", "https://evil/v1/a",
        "//evil/v1/a", "https://vault:8200/login?next=/v1/a", "https://vault:8200/#/v1/a",
        "https://vault:8200/ui/", "/login", "v1/a", "ftp://vault:8200/v1/a",
        "https://vault:8200\\@evil/v1/a", "https:///v1/a"}) {
    EXPECT_THAT(Follow("https://vault:8200", elsewhere), StatusIs(ErrorKind::kRejected))
        << elsewhere;
  }
  EXPECT_THAT(Follow("https://vault:8200", "/v1/a\r\nX-Evil: 1"), StatusIs(ErrorKind::kRejected));
  EXPECT_THAT(Follow("https://vault:8200", "/v1/a b"), StatusIs(ErrorKind::kRejected));
}

TEST(RedirectTest, MustLeadSomewhere) {
  EXPECT_THAT(Follow("https://vault:8200", ""), StatusIs(ErrorKind::kProtocol));
  EXPECT_THAT(RedirectOf(At("https://vault:8200"), Answer(307)), StatusIs(ErrorKind::kProtocol));
}

}  // namespace
}  // namespace vaultcore
