#include "net/http1_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/recorded_call.h"
#include "support/status_matchers.h"

namespace vaultcore::net {
namespace {

using testing::HasSubstr;
using testing::Optional;

constexpr char kEmptyAnswer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

class Http1SessionTest : public testing::Test {
 protected:
  explicit Http1SessionTest(std::string_view address = "http://vault:8200") {
    ConnectionSettings settings;
    settings.address = Endpoint::Parse(address).value();
    origin_ = Origin::From(settings);
    session_ = std::make_unique<Http1Session>(origin_, knowledge_, 1000);
  }

  std::shared_ptr<RecordedCall> Submit(Method method, std::string_view path,
                                       std::string_view body = {}) {
    auto call = MakeCall(method, path, body);
    session_->Submit(call);
    return call;
  }
  // Lets `count` bytes of the output go out; all of them by default.
  void Write(size_t count = SIZE_MAX) {
    session_->Wrote(std::min(count, session_->Output().size()));
  }
  // One answer, so that pipelining is known to work here.
  void Warm() {
    auto call = Submit(Method::kGet, "sys/health");
    Write();
    ASSERT_THAT(session_->Input(kEmptyAnswer), IsOk());
    ASSERT_TRUE(call->answer.has_value());
  }
  bool CanTakeRead() const { return session_->CanTake(HttpRequest(Method::kGet, "x")); }
  bool CanTakeWrite() const {
    return session_->CanTake(HttpRequest(Method::kPost, "x", Secret::CopyOf("{}")));
  }

  Origin origin_;
  Http1Knowledge knowledge_;
  std::unique_ptr<Http1Session> session_;
};

TEST_F(Http1SessionTest, OneCallAtATimeUntilTheServerIsKnown) {
  EXPECT_TRUE(CanTakeRead());
  Submit(Method::kGet, "a");
  EXPECT_FALSE(CanTakeRead());
}

TEST_F(Http1SessionTest, ReadsArePipelinedUpToTheWindowAndAnsweredInOrder) {
  Warm();
  std::vector<std::shared_ptr<RecordedCall>> calls;
  while (CanTakeRead()) calls.push_back(Submit(Method::kGet, "a"));
  ASSERT_EQ(calls.size(), kPipelineWindow);
  EXPECT_FALSE(CanTakeWrite());
  Write();
  std::string answers;  // all in one packet
  for (size_t i = 0; i < calls.size(); ++i) {
    answers += "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + std::to_string(i);
  }
  ASSERT_THAT(session_->Input(answers), IsOk());
  for (size_t i = 0; i < calls.size(); ++i) {
    ASSERT_TRUE(calls[i]->answer.has_value());
    EXPECT_EQ(calls[i]->answer->body.Reveal(), std::to_string(i));
  }
  EXPECT_EQ(session_->active(), 0u);
}

TEST_F(Http1SessionTest, NothingIsPipelinedBehindAWrite) {
  Warm();
  Submit(Method::kPost, "a", "{}");
  EXPECT_FALSE(CanTakeRead());
}

TEST_F(Http1SessionTest, AnswersInSmallPortions) {
  auto call = Submit(Method::kGet, "a");
  Write();
  for (const char c : std::string("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")) {
    ASSERT_THAT(session_->Input(std::string_view(&c, 1)), IsOk());
  }
  ASSERT_TRUE(call->answer.has_value());
  EXPECT_EQ(call->answer->body.Reveal(), "hi");
}

TEST_F(Http1SessionTest, InterimAnswersAreSkipped) {
  auto call = Submit(Method::kGet, "a");
  Write();
  ASSERT_THAT(session_->Input("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x"
                              "\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"),
              IsOk());
  ASSERT_TRUE(call->answer.has_value());
  EXPECT_EQ(call->answer->status, 204);
  EXPECT_TRUE(call->answer->headers.empty());
}

TEST_F(Http1SessionTest, InterimAnswersWithoutEndAreAnError) {
  auto call = Submit(Method::kGet, "a");
  Write();
  std::string flood;
  for (int i = 0; i < 100; ++i) flood += "HTTP/1.1 100 Continue\r\n\r\n";
  static_cast<void>(session_->Input(flood));
  EXPECT_THAT(call->failure, Optional(StatusIs(ErrorKind::kProtocol, HasSubstr("HTTP 100"))));
  EXPECT_FALSE(session_->usable());
}

TEST_F(Http1SessionTest, AfterConnectionCloseTheCallsBehindMayGoElsewhere) {
  Warm();
  auto first = Submit(Method::kGet, "a");
  auto second = Submit(Method::kGet, "b");
  Write();
  ASSERT_THAT(session_->Input("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
              IsOk());
  EXPECT_TRUE(first->answer.has_value());
  EXPECT_THAT(second->failure, Optional(StatusIs(ErrorKind::kUnavailable)));
  EXPECT_EQ(second->seen, Seen::kMaybe);
  EXPECT_TRUE(second->outdated);
  EXPECT_FALSE(session_->usable());
  EXPECT_EQ(knowledge_.pipelining, Http1Knowledge::Pipelining::kNo);
}

TEST_F(Http1SessionTest, AnEndSaysHowMuchTheServerCanHaveSeen) {
  Warm();
  auto answered = Submit(Method::kGet, "a");
  Write();
  auto sent_partly = Submit(Method::kGet, "b");
  Write(3);
  auto not_sent = Submit(Method::kGet, "c");
  ASSERT_THAT(session_->Input("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"), IsOk());
  session_->InputEnd();
  EXPECT_EQ(answered->seen, Seen::kAnswered);
  EXPECT_THAT(answered->failure,
              Optional(StatusIs(ErrorKind::kUnavailable, HasSubstr("in the middle"))));
  EXPECT_EQ(sent_partly->seen, Seen::kMaybe);
  EXPECT_EQ(not_sent->seen, Seen::kNothing);
  for (const auto& call : {answered, sent_partly, not_sent}) EXPECT_EQ(call->ends, 1);
  // Who was told that nothing was seen may ask elsewhere: it must not be sent here any more.
  EXPECT_TRUE(session_->Output().empty());
}

TEST_F(Http1SessionTest, TheFirstCallOfAConnectionIsNotOutdated) {
  auto call = Submit(Method::kGet, "a");
  Write();
  session_->InputEnd();
  EXPECT_FALSE(call->outdated);
  EXPECT_THAT(call->failure,
              Optional(StatusIs(ErrorKind::kUnavailable, HasSubstr("without an answer"))));
}

TEST_F(Http1SessionTest, AnAnswerMayEndWithTheConnection) {
  auto call = Submit(Method::kGet, "a");
  Write();
  ASSERT_THAT(session_->Input("HTTP/1.1 200 OK\r\n\r\nuntil the end"), IsOk());
  EXPECT_EQ(call->ends, 0);
  session_->InputEnd();
  ASSERT_TRUE(call->answer.has_value());
  EXPECT_EQ(call->answer->body.Reveal(), "until the end");
}

TEST_F(Http1SessionTest, ALostConnectionDoesNotCompleteSuchAnAnswer) {
  auto call = Submit(Method::kGet, "a");
  Write();
  ASSERT_THAT(session_->Input("HTTP/1.1 200 OK\r\n\r\nuntil the"), IsOk());
  session_->Fail(MakeError(ErrorKind::kUnavailable, "connection reset"));
  EXPECT_THAT(call->failure, Optional(StatusIs(ErrorKind::kUnavailable)));
}

TEST_F(Http1SessionTest, WhatNobodyAskedForIsAnError) {
  Warm();
  EXPECT_THAT(session_->Input(kEmptyAnswer),
              StatusIs(ErrorKind::kProtocol, HasSubstr("nobody asked")));
}

TEST_F(Http1SessionTest, AnUpgradeIsNoAnswer) {
  auto call = Submit(Method::kGet, "a");
  Write();
  static_cast<void>(session_->Input("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
  EXPECT_THAT(call->failure, Optional(StatusIs(ErrorKind::kProtocol, HasSubstr("101"))));
}

TEST_F(Http1SessionTest, ADroppedCallTakesTheConnectionWithItButNotItsNeighbours) {
  Warm();
  auto first = Submit(Method::kGet, "a");
  auto second = Submit(Method::kGet, "b");
  Write();
  session_->Drop(*first, MakeError(ErrorKind::kTimeout, "too late"));
  EXPECT_THAT(first->failure, Optional(StatusIs(ErrorKind::kTimeout)));
  EXPECT_TRUE(second->outdated);
  EXPECT_EQ(second->seen, Seen::kMaybe);
  EXPECT_FALSE(session_->usable());
}

TEST_F(Http1SessionTest, ATlsAlertMeansThatTheAddressIsWrong) {
  Submit(Method::kGet, "a");
  Write();
  const Status status = session_->Input(std::string_view("\x15\x03\x01\x00\x02\x02\x46", 7));
  EXPECT_THAT(status, StatusIs(ErrorKind::kTls, HasSubstr("speaks TLS")));
  EXPECT_THAT(status, HintIs(HasSubstr("https://")));
}

TEST_F(Http1SessionTest, GosAnswerToPlainHttpMeansThatTheAddressIsWrong) {
  auto call = Submit(Method::kGet, "a");
  Write();
  static_cast<void>(
      session_->Input("HTTP/1.0 400 Bad Request\r\n\r\n"
                      "Client sent an HTTP request to an HTTPS server.\n"));
  session_->InputEnd();
  ASSERT_TRUE(call->failure.has_value());
  EXPECT_THAT(*call->failure, StatusIs(ErrorKind::kTls, HasSubstr("speaks TLS")));
  EXPECT_THAT(*call->failure, HintIs(HasSubstr("https://")));
}

}  // namespace
}  // namespace vaultcore::net
