// HTTP/2 over real sockets: one connection for everything, and what happens when it goes.

#include <absl/strings/str_format.h>
#include <nghttp2/nghttp2.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <string>

#include "support/http2_peer.h"
#include "support/transport_fixture.h"

namespace vaultcore {
namespace {

using testing::Each;
using testing::HasSubstr;

class TransportHttp2Test : public TransportFixture {
 protected:
  using Handler = std::function<void(Http2Peer&, const Http2Peer::Request&)>;

  static const TestAuthority& Authority() {
    static const TestAuthority* const authority = new TestAuthority("Our Test CA");
    return *authority;
  }

  // Carries bytes between `peer` and `http2`, and hands each request to `handler`. Returns when the
  // connection has ended or `handler` has closed it.
  static void Run(ServerPeer& peer, Http2Peer& http2, const Handler& handler) {
    if (!peer.Send(http2.Output())) return;
    for (;;) {
      const std::string bytes = peer.ReadSome();
      if (bytes.empty() || !http2.Input(bytes)) return;
      for (const auto& request : http2.TakeRequests()) handler(http2, request);
      if (!peer.Send(http2.Output())) return;
    }
  }
  static std::unique_ptr<ScriptedServer> Serve(ScriptedServer::Script script) {
    ScriptedServer::Tls tls;
    tls.identity = Authority().Issue();
    tls.http2 = true;
    return std::make_unique<ScriptedServer>(std::move(script), std::move(tls));
  }
  static std::unique_ptr<ScriptedServer> Serve(Handler handler) {
    return Serve([handler](ServerPeer& peer) {
      Http2Peer http2;
      Run(peer, http2, handler);
    });
  }
  // Answers with the path, and the body if there is one.
  static void Echo(Http2Peer& http2, const Http2Peer::Request& request) {
    http2.Answer(request.stream, 200, request.headers.at(":path").substr(4) + request.body);
  }

  std::unique_ptr<Transport> ConnectTo(const ScriptedServer& server,
                                       Milliseconds request_timeout = kPatience) {
    ConnectionSettings settings = SettingsFor(server.Url());
    settings.tls.ca_pem = Authority().certificate();
    settings.request_timeout = request_timeout;
    return Connect(std::move(settings));
  }
};

TEST_F(TransportHttp2Test, ALoginAndAllReadsGoOverOneConnection) {
  auto server = Serve(Echo);
  auto transport = ConnectTo(*server);
  transport->Prepare(30);
  EXPECT_THAT(Send(*transport, Write("auth/approle/login", "!")),
              AnsweredWith("auth/approle/login!"));
  const auto batch = SendAll(*transport, Reads(30));
  for (size_t i = 0; i < batch->exchanges.size(); ++i) {
    EXPECT_THAT(batch->exchanges[i], AnsweredWith("secret/data/" + std::to_string(i)));
  }
  EXPECT_EQ(server->connections(), 1);
}

TEST_F(TransportHttp2Test, ManyWritesShareAConnectionUpToALimit) {
  std::atomic<size_t> most{0};
  auto server = Serve([&](ServerPeer& peer) {
    Http2Peer http2;
    peer.Send(http2.Output());
    std::vector<Http2Peer::Request> waiting;
    for (;;) {
      const std::string bytes = peer.ReadSome();
      if (bytes.empty() || !http2.Input(bytes)) return;
      for (auto& request : http2.TakeRequests()) waiting.push_back(std::move(request));
      // Answers only when the client has no more to say.
      if (peer.HasMore(50)) continue;
      most = std::max(most.load(), waiting.size());
      for (const auto& request : waiting) Echo(http2, request);
      waiting.clear();
      peer.Send(http2.Output());
    }
  });
  auto transport = ConnectTo(*server);
  const auto batch = SendAll(*transport, Writes(200));
  for (size_t i = 0; i < batch->exchanges.size(); ++i) {
    EXPECT_THAT(batch->exchanges[i],
                AnsweredWith(absl::StrFormat("secret/data/%d{\"n\":%d}", i, i)));
  }
  EXPECT_EQ(most, 64u);
  EXPECT_EQ(server->connections(), 1);
}

TEST_F(TransportHttp2Test, LargeBodiesBothWays) {
  auto server = Serve(Echo);
  auto transport = ConnectTo(*server);
  const std::string big(5 << 20, 'x');
  EXPECT_THAT(Send(*transport, Write("x", big)), AnsweredWith("x" + big));
}

TEST_F(TransportHttp2Test, AServerWithoutHttp2IsServedToo) {
  ScriptedServer::Tls tls;
  tls.identity = Authority().Issue();
  ScriptedServer server(
      [](ServerPeer& peer) {
        EXPECT_FALSE(peer.chose_http2());
        while (peer.ReadRequest()) peer.Answer(200, "ok");
      },
      tls);
  auto transport = ConnectTo(server);
  const auto batch = SendAll(*transport, Reads(30));
  EXPECT_THAT(batch->exchanges, Each(AnsweredWith("ok")));
}

TEST_F(TransportHttp2Test, AConnectionThatEndedWhileIdleIsReplaced) {
  auto server = Serve([](ServerPeer& peer) {
    Http2Peer http2;
    bool polite = peer.number() == 0;
    Run(peer, http2, [&](Http2Peer& to, const Http2Peer::Request& request) {
      Echo(to, request);
      if (polite) to.GoAway(request.stream);
      peer.Send(to.Output());
      peer.Close();
    });
  });
  auto transport = ConnectTo(*server);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(Send(*transport, Write("x", "!")), AnsweredWith("x!"));
    usleep(20'000);
  }
  EXPECT_EQ(server->connections(), 3);
}

TEST_F(TransportHttp2Test, AfterGoodbyeWhatWasNotLookedAtGoesOverANewConnection) {
  auto server = Serve([](ServerPeer& peer) {
    Http2Peer http2;
    int seen = 0;
    Run(peer, http2, [&](Http2Peer& to, const Http2Peer::Request& request) {
      // The first connection serves four requests and has no time for the others.
      if (peer.number() == 0 && ++seen > 4) return;
      Echo(to, request);
      if (peer.number() == 0 && seen == 4) to.GoAway(request.stream);
    });
  });
  auto transport = ConnectTo(*server);
  const auto batch = SendAll(*transport, Writes(20));
  for (size_t i = 0; i < batch->exchanges.size(); ++i) {
    EXPECT_THAT(batch->exchanges[i],
                AnsweredWith(absl::StrFormat("secret/data/%d{\"n\":%d}", i, i)));
  }
  EXPECT_EQ(server->connections(), 2);
}

TEST_F(TransportHttp2Test, ALostConnectionIsReportedToAllWhoWereOnIt) {
  auto server = Serve([](ServerPeer& peer) {
    Http2Peer http2;
    Run(peer, http2, [&](Http2Peer&, const Http2Peer::Request&) { peer.CloseRudely(); });
  });
  auto transport = ConnectTo(*server);
  const auto batch = SendAll(*transport, Writes(5));
  for (const Exchange& exchange : batch->exchanges) {
    EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kUnavailable, HasSubstr(server->Url())));
    EXPECT_TRUE(exchange.request_sent);
  }
}

TEST_F(TransportHttp2Test, AResetStreamHarmsNoOther) {
  auto server = Serve([](Http2Peer& http2, const Http2Peer::Request& request) {
    if (request.headers.at(":path") == "/v1/secret/data/3") {
      http2.Reset(request.stream, NGHTTP2_INTERNAL_ERROR);
    } else {
      http2.Answer(request.stream, 200, "ok");
    }
  });
  auto transport = ConnectTo(*server);
  auto batch = SendAll(*transport, Reads(6));
  EXPECT_THAT(batch->exchanges[3].result,
              StatusIs(ErrorKind::kUnavailable, HasSubstr("INTERNAL_ERROR")));
  batch->exchanges.erase(batch->exchanges.begin() + 3);
  EXPECT_THAT(batch->exchanges, Each(AnsweredWith("ok")));
}

TEST_F(TransportHttp2Test, ATimeoutHarmsNoOther) {
  auto server = Serve([](Http2Peer& http2, const Http2Peer::Request& request) {
    if (request.headers.at(":path") != "/v1/slow") http2.Answer(request.stream, 200, "ok");
  });
  auto transport = ConnectTo(*server);
  ASSERT_THAT(Get(*transport), AnsweredWith("ok"));
  std::vector<HttpRequest> slow;
  slow.push_back(Read("slow"));
  auto first = Begin(*transport, std::move(slow), Milliseconds(150));
  auto others = SendAll(*transport, Reads(5));
  EXPECT_THAT(others->exchanges, Each(AnsweredWith("ok")));
  Finish(*first);
  EXPECT_THAT(first->exchanges[0].result, StatusIs(ErrorKind::kTimeout));
  EXPECT_THAT(Get(*transport), AnsweredWith("ok"));
  EXPECT_EQ(server->connections(), 1);
}

TEST_F(TransportHttp2Test, ASilentConnectionIsNotUsedAgain) {
  auto server = Serve([](ServerPeer& peer) {
    Http2Peer http2;
    int seen = 0;
    Run(peer, http2, [&](Http2Peer& to, const Http2Peer::Request& request) {
      Echo(to, request);
      // As a network that went dead: nothing comes any more, and nothing is refused.
      if (peer.number() == 0 && ++seen == 1) {
        peer.Send(to.Output());
        usleep(600'000);
        peer.Hang();
      }
    });
  });
  auto transport = ConnectTo(*server, Milliseconds(150));
  EXPECT_THAT(Get(*transport), AnsweredWith("secret/data/x"));
  EXPECT_THAT(Get(*transport).result, StatusIs(ErrorKind::kUnavailable, HasSubstr("150ms")));
  EXPECT_THAT(Get(*transport), AnsweredWith("secret/data/x"));
  EXPECT_EQ(server->connections(), 2);
}

TEST_F(TransportHttp2Test, CancelEndsAllStreams) {
  auto server = Serve([](Http2Peer&, const Http2Peer::Request&) {});
  auto transport = ConnectTo(*server);
  auto batch = Begin(*transport, Reads(100));
  context_.restart();
  context_.run_for(Milliseconds(150));
  EXPECT_EQ(batch->ended, 0u);
  transport->Cancel();
  Finish(*batch);
  for (const Exchange& exchange : batch->exchanges) {
    EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kCancelled));
  }
}

TEST_F(TransportHttp2Test, WhatIsNotHttp2IsAnError) {
  auto server = Serve([](ServerPeer& peer) {
    peer.ReadSome();
    peer.Send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    peer.Hang();
  });
  auto transport = ConnectTo(*server);
  EXPECT_THAT(Get(*transport).result, StatusIs(ErrorKind::kProtocol, HasSubstr("HTTP/2")));
}

}  // namespace
}  // namespace vaultcore
