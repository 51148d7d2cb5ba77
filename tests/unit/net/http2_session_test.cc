#include "net/http2_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <string>
#include <vector>

#include "support/http2_peer.h"
#include "support/recorded_call.h"
#include "support/status_matchers.h"

namespace vaultcore::net {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Optional;
using testing::Pair;

class Http2SessionTest : public testing::Test {
 protected:
  Http2SessionTest() {
    ConnectionSettings settings;
    settings.address = Endpoint::Parse("https://vault:8200/prefix").value();
    origin_ = Origin::From(settings);
    session_ = std::make_unique<Http2Session>(origin_, 100'000);
    peer_ = std::make_unique<Http2Peer>();
  }

  std::shared_ptr<RecordedCall> Submit(Method method, std::string_view path,
                                       std::string_view body = {}) {
    auto call = MakeCall(method, path, body);
    session_->Submit(call);
    return call;
  }
  // Carries bytes to and fro until both sides are silent.
  void Carry() {
    for (;;) {
      std::string to_peer;
      for (;;) {
        const std::string_view out = session_->Output();
        if (out.empty()) break;
        to_peer.append(out);
        session_->Wrote(out.size());
      }
      ASSERT_TRUE(peer_->Input(to_peer));
      const std::string to_session = peer_->Output();
      if (!to_session.empty()) {
        ASSERT_THAT(session_->Input(to_session), IsOk());
      }
      if (to_peer.empty() && to_session.empty()) return;
    }
  }

  Origin origin_;
  std::unique_ptr<Http2Session> session_;
  std::unique_ptr<Http2Peer> peer_;
};

TEST_F(Http2SessionTest, ARequestAsTheServerSeesIt) {
  HttpRequest request(Method::kPost, "secret/data/a b", Secret::CopyOf("{\"x\":1}"));
  ASSERT_THAT(request.AddHeader("X-Vault-Token", Secret::CopyOf("hvs.x")), IsOk());
  session_->Submit(std::make_shared<RecordedCall>(std::move(request)));
  Carry();
  const auto requests = peer_->TakeRequests();
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_THAT(
      requests[0].headers,
      testing::UnorderedElementsAre(
          Pair(":method", "POST"), Pair(":scheme", "https"), Pair(":authority", "vault:8200"),
          Pair(":path", "/prefix/v1/secret/data/a%20b"), Pair("x-vault-token", "hvs.x"),
          Pair("content-type", "application/json"), Pair("content-length", "7")));
  EXPECT_EQ(requests[0].body, "{\"x\":1}");
}

TEST_F(Http2SessionTest, AnswersComeInAnyOrder) {
  auto a = Submit(Method::kGet, "a");
  auto b = Submit(Method::kList, "b");
  Carry();
  const auto requests = peer_->TakeRequests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_THAT(requests[1].headers, Contains(Pair(":method", "LIST")));
  peer_->Answer(requests[1].stream, 404, "{\"b\":1}", {{"content-type", "application/json"}});
  Carry();
  ASSERT_TRUE(b->answer.has_value());
  EXPECT_EQ(b->answer->status, 404);
  EXPECT_EQ(b->answer->body.Reveal(), "{\"b\":1}");
  EXPECT_THAT(b->answer->headers, ElementsAre(Pair("content-type", "application/json")));
  EXPECT_EQ(a->ends, 0);
  peer_->Answer(requests[0].stream, 204, "");
  Carry();
  ASSERT_TRUE(a->answer.has_value());
  EXPECT_TRUE(a->answer->body.empty());
  EXPECT_EQ(session_->active(), 0u);
}

TEST_F(Http2SessionTest, AllThatIsSubmittedTogetherGoesOutTogether) {
  for (int i = 0; i < 30; ++i) Submit(Method::kGet, "secret/data/" + std::to_string(i));
  const std::string out(session_->Output());
  session_->Wrote(out.size());
  EXPECT_TRUE(session_->Output().empty());
  ASSERT_TRUE(peer_->Input(out));
  EXPECT_EQ(peer_->TakeRequests().size(), 30u);
}

TEST_F(Http2SessionTest, TakesSoManyStreamsAndNoMore) {
  for (size_t i = 0; i < kMaxStreams; ++i) {
    ASSERT_TRUE(session_->CanTake(HttpRequest(Method::kGet, "x")));
    Submit(Method::kGet, "x");
  }
  EXPECT_FALSE(session_->CanTake(HttpRequest(Method::kGet, "x")));
}

TEST_F(Http2SessionTest, TheServersOwnLimitIsKept) {
  peer_ = std::make_unique<Http2Peer>(2);
  Carry();  // the limit arrives
  std::vector<std::shared_ptr<RecordedCall>> calls;
  calls.reserve(5);
  for (int i = 0; i < 5; ++i) calls.push_back(Submit(Method::kGet, "x"));
  size_t answered = 0;
  for (int round = 0; round < 5; ++round) {
    Carry();
    const auto requests = peer_->TakeRequests();
    EXPECT_LE(requests.size(), 2u);
    for (const auto& request : requests) peer_->Answer(request.stream, 200, "{}");
    Carry();
  }
  for (const auto& call : calls) answered += call->answer.has_value() ? 1 : 0;
  EXPECT_EQ(answered, calls.size());
}

TEST_F(Http2SessionTest, LargeBodiesBothWays) {
  const std::string large(90'000, 'x');
  auto call = Submit(Method::kPost, "a", large);
  Carry();
  const auto requests = peer_->TakeRequests();
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].body, large);
  peer_->Answer(requests[0].stream, 200, large);
  Carry();
  ASSERT_TRUE(call->answer.has_value());
  EXPECT_EQ(call->answer->body.Reveal(), large);
}

TEST_F(Http2SessionTest, TooLargeAnAnswerEndsItsCallOnly) {
  auto large = Submit(Method::kGet, "a");
  auto small = Submit(Method::kGet, "b");
  Carry();
  const auto requests = peer_->TakeRequests();
  peer_->Answer(requests[0].stream, 200, std::string(100'001, 'x'));
  Carry();
  EXPECT_THAT(large->failure,
              Optional(StatusIs(ErrorKind::kProtocol, HasSubstr("larger than 100000"))));
  EXPECT_THAT(peer_->reset_streams(), ElementsAre(requests[0].stream));
  peer_->Answer(requests[1].stream, 200, "{}");
  Carry();
  EXPECT_TRUE(small->answer.has_value());
}

TEST_F(Http2SessionTest, TooManyHeadersEndTheCall) {
  auto call = Submit(Method::kGet, "a");
  Carry();
  Http2Peer::Headers headers;
  for (int i = 0; i < 20; ++i) {
    headers.emplace_back("x-" + std::to_string(i), std::string(4000, 'x'));
  }
  peer_->Answer(peer_->TakeRequests().at(0).stream, 200, "", headers);
  Carry();
  EXPECT_THAT(call->failure, Optional(StatusIs(ErrorKind::kProtocol, HasSubstr("headers"))));
}

TEST_F(Http2SessionTest, InterimAnswersAreSkipped) {
  auto call = Submit(Method::kGet, "a");
  Carry();
  const int32_t stream = peer_->TakeRequests().at(0).stream;
  peer_->Interim(stream, 103);
  Carry();
  EXPECT_EQ(call->ends, 0);
  peer_->Answer(stream, 200, "{}");
  Carry();
  ASSERT_TRUE(call->answer.has_value());
  EXPECT_EQ(call->answer->status, 200);
}

TEST_F(Http2SessionTest, ARefusedStreamMayGoElsewhere) {
  auto call = Submit(Method::kPost, "a", "{}");
  Carry();
  peer_->Reset(peer_->TakeRequests().at(0).stream, NGHTTP2_REFUSED_STREAM);
  Carry();
  EXPECT_THAT(call->failure, Optional(StatusIs(ErrorKind::kUnavailable)));
  EXPECT_EQ(call->seen, Seen::kNothing);
  EXPECT_TRUE(call->outdated);
  EXPECT_TRUE(session_->usable());
}

TEST_F(Http2SessionTest, AResetStreamMayHaveBeenActedOn) {
  auto call = Submit(Method::kPost, "a", "{}");
  Carry();
  peer_->Reset(peer_->TakeRequests().at(0).stream, NGHTTP2_INTERNAL_ERROR);
  Carry();
  EXPECT_THAT(call->failure,
              Optional(StatusIs(ErrorKind::kUnavailable, HasSubstr("INTERNAL_ERROR"))));
  EXPECT_EQ(call->seen, Seen::kMaybe);
  EXPECT_FALSE(call->outdated);
}

TEST_F(Http2SessionTest, AfterGoodbyeTheLateCallsGoElsewhereAndTheEarlyOnesAreAnswered) {
  auto early = Submit(Method::kGet, "a");
  auto late = Submit(Method::kPost, "b", "{}");
  Carry();
  const auto requests = peer_->TakeRequests();
  peer_->GoAway(requests[0].stream);
  Carry();
  EXPECT_FALSE(session_->usable());
  EXPECT_FALSE(session_->CanTake(HttpRequest(Method::kGet, "x")));
  EXPECT_EQ(late->seen, Seen::kNothing);
  EXPECT_TRUE(late->outdated);
  EXPECT_EQ(early->ends, 0);
  peer_->Answer(requests[0].stream, 200, "{}");
  Carry();
  EXPECT_TRUE(early->answer.has_value());
}

TEST_F(Http2SessionTest, ACallThatWaitedWhenTheServerSaidGoodbyeWasNotSeen) {
  peer_ = std::make_unique<Http2Peer>(1);
  Carry();
  auto first = Submit(Method::kGet, "a");
  auto waiting = Submit(Method::kPost, "b", "{}");
  Carry();
  const auto requests = peer_->TakeRequests();
  ASSERT_EQ(requests.size(), 1u);
  peer_->GoAway(requests[0].stream);
  Carry();
  peer_->Answer(requests[0].stream, 200, "{}");
  Carry();
  EXPECT_TRUE(first->answer.has_value());
  ASSERT_EQ(waiting->ends, 1);
  EXPECT_EQ(waiting->seen, Seen::kNothing);
  EXPECT_TRUE(waiting->outdated);
}

TEST_F(Http2SessionTest, ADroppedCallIsResetAndItsNeighboursStay) {
  auto dropped = Submit(Method::kGet, "a");
  auto kept = Submit(Method::kGet, "b");
  Carry();
  const auto requests = peer_->TakeRequests();
  session_->Drop(*dropped, MakeError(ErrorKind::kTimeout, "too late"));
  Carry();
  EXPECT_THAT(dropped->failure, Optional(StatusIs(ErrorKind::kTimeout)));
  EXPECT_THAT(peer_->reset_streams(), ElementsAre(requests[0].stream));
  peer_->Answer(requests[1].stream, 200, "{}");
  Carry();
  EXPECT_TRUE(kept->answer.has_value());
  EXPECT_EQ(dropped->ends, 1);
}

TEST_F(Http2SessionTest, AConnectionThatWentSilentTakesNoMoreCalls) {
  auto call = Submit(Method::kGet, "a");
  Carry();
  EXPECT_TRUE(session_->usable());
  auto silent = Submit(Method::kGet, "b");
  session_->Drop(*silent, MakeError(ErrorKind::kTimeout, "too late"));
  EXPECT_FALSE(session_->usable());
  EXPECT_EQ(call->ends, 0);
}

TEST_F(Http2SessionTest, AnAnswerCutShortIsAFailure) {
  auto call = Submit(Method::kGet, "a");
  Carry();
  peer_->BeginAnswer(peer_->TakeRequests().at(0).stream, 200);
  Carry();
  session_->InputEnd();
  EXPECT_THAT(call->failure, Optional(StatusIs(ErrorKind::kUnavailable)));
  EXPECT_EQ(call->seen, Seen::kAnswered);
}

TEST_F(Http2SessionTest, WhatIsNotHttp2IsAnError) {
  auto call = Submit(Method::kGet, "a");
  session_->Wrote(session_->Output().size());
  static_cast<void>(session_->Input("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_FALSE(session_->Output().empty());  // the goodbye
  EXPECT_THAT(call->failure, Optional(StatusIs(ErrorKind::kProtocol, HasSubstr("HTTP/2"))));
  EXPECT_FALSE(session_->usable());
}

}  // namespace
}  // namespace vaultcore::net
