// HTTP/1.1 over real sockets: what is asked for and how connections are shared.

#include <arpa/inet.h>

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <string>

#include "support/transport_fixture.h"

namespace vaultcore {
namespace {

using testing::Each;
using testing::HasSubstr;

// Answers every request with its path.
void Echo(ServerPeer& peer) {
  while (auto request = peer.ReadRequest()) {
    const size_t begin = request->line.find("/v1/") + 4;
    peer.Answer(200, request->line.substr(begin, request->line.rfind(' ') - begin));
  }
}

class TransportTest : public TransportFixture {};

TEST_F(TransportTest, AsksAndAnswersOverOneConnection) {
  ScriptedServer server(Echo);
  auto transport = Connect(server);
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(Send(*transport, Read("secret/data/" + std::to_string(i))),
                AnsweredWith("secret/data/" + std::to_string(i)));
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(TransportTest, TheServerSeesTheRequestAsItWasMade) {
  std::string line, token, body, host;
  ScriptedServer server([&](ServerPeer& peer) {
    auto request = peer.ReadRequest();
    line = request->line;
    token = request->headers["x-vault-token"];
    host = request->headers["host"];
    body = request->body;
    peer.Answer(204, "");
  });
  auto transport = Connect(SettingsFor(server.Url() + "/prefix"));
  HttpRequest request = Write("secret/data/a b", "{\"data\":1}");
  ASSERT_THAT(request.AddHeader("X-Vault-Token", Secret::CopyOf("hvs.x")), IsOk());
  const Exchange exchange = Send(*transport, request);
  ASSERT_THAT(exchange.result, IsOk());
  EXPECT_EQ(exchange.result->status, 204);
  EXPECT_EQ(line, "POST /prefix/v1/secret/data/a%20b HTTP/1.1");
  EXPECT_EQ(token, "hvs.x");
  EXPECT_EQ(host, "127.0.0.1:" + std::to_string(server.port()));
  EXPECT_EQ(body, "{\"data\":1}");
}

TEST_F(TransportTest, AnswersOfEveryForm) {
  const std::string big(3 << 20, 'x');
  ScriptedServer server([&](ServerPeer& peer) {
    peer.ReadRequest();
    peer.Send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    peer.Send("5\r\nhello\r\n");
    peer.Send("6\r\n world\r\n0\r\n\r\n");
    peer.ReadRequest();
    peer.Answer(200, big);
    peer.ReadRequest();
    peer.Send("HTTP/1.1 200 OK\r\n\r\nto the end");
  });
  auto transport = Connect(server);
  EXPECT_THAT(Get(*transport), AnsweredWith("hello world"));
  EXPECT_THAT(Get(*transport), AnsweredWith(big));
  EXPECT_THAT(Get(*transport), AnsweredWith("to the end"));
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(TransportTest, ALargeBodyGoesOutWholeWhileTheServerIsSlow) {
  const std::string big(4 << 20, 'y');
  std::string seen;
  ScriptedServer server([&](ServerPeer& peer) {
    seen = peer.ReadRequest()->body;
    peer.Answer(200, "ok");
  });
  auto transport = Connect(server);
  EXPECT_THAT(Send(*transport, Write("x", big)), AnsweredWith("ok"));
  EXPECT_EQ(seen, big);
}

TEST_F(TransportTest, ReadsArePipelinedOnAFewConnections) {
  std::atomic<int> most_at_once{0};
  ScriptedServer server([&](ServerPeer& peer) {
    int at_once = 0;
    while (auto request = peer.ReadRequest()) {
      ++at_once;
      // Waits a little, so that what the client sends without waiting is there.
      while (peer.HasMore(50)) {
        request = peer.ReadRequest();
        if (!request) return;
        ++at_once;
      }
      if (at_once > most_at_once) most_at_once = at_once;
      std::string answers;  // all in one packet
      for (; at_once > 0; --at_once) {
        answers += "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
      }
      peer.Send(answers);
    }
  });
  auto transport = Connect(server);
  ASSERT_THAT(Get(*transport), AnsweredWith("ok"));
  const auto batch = SendAll(*transport, Reads(64));
  EXPECT_THAT(batch->exchanges, Each(AnsweredWith("ok")));
  EXPECT_EQ(most_at_once, 8);
  EXPECT_LE(server.connections(), 4);
}

TEST_F(TransportTest, AnswersFindTheirRequests) {
  ScriptedServer server(Echo);
  auto transport = Connect(server);
  const auto batch = SendAll(*transport, Reads(200));
  for (size_t i = 0; i < batch->exchanges.size(); ++i) {
    EXPECT_THAT(batch->exchanges[i], AnsweredWith("secret/data/" + std::to_string(i)));
  }
}

TEST_F(TransportTest, WritesHaveAConnectionToThemselvesAndTheirNumberIsBounded) {
  std::atomic<int> open{0}, most{0};
  std::atomic<bool> pipelined{false};
  ScriptedServer server([&](ServerPeer& peer) {
    most = std::max<int>(most, ++open);
    while (auto request = peer.ReadRequest()) {
      if (peer.HasMore(2)) pipelined = true;
      peer.Answer(200, request->body);
    }
    --open;
  });
  ConnectionSettings settings = SettingsFor(server.Url());
  settings.max_connections = 3;
  auto transport = Connect(std::move(settings));
  const auto batch = SendAll(*transport, Writes(40));
  for (size_t i = 0; i < batch->exchanges.size(); ++i) {
    EXPECT_THAT(batch->exchanges[i], AnsweredWith("{\"n\":" + std::to_string(i) + "}"));
  }
  EXPECT_FALSE(pipelined);
  EXPECT_EQ(most, 3);
}

TEST_F(TransportTest, FewerConnectionsThanWantedAreEnough) {
  ScriptedServer* running = nullptr;
  ScriptedServer server([&](ServerPeer& peer) {
    running->StopListening();
    Echo(peer);
  });
  running = &server;
  auto transport = Connect(server);
  ASSERT_THAT(Get(*transport), AnsweredWith("secret/data/x"));
  const auto batch = SendAll(*transport, Writes(10));
  for (size_t i = 0; i < batch->exchanges.size(); ++i) {
    EXPECT_THAT(batch->exchanges[i], AnsweredWith("secret/data/" + std::to_string(i)));
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(TransportTest, PrepareDialsWhileTheLoginIsUnderWay) {
  std::atomic<int> open{0};
  ScriptedServer server([&](ServerPeer& peer) {
    ++open;
    while (auto request = peer.ReadRequest()) {
      // The login is answered only when the other connections are there.
      for (int i = 0; i < 2000 && open < 4; ++i) usleep(1000);
      peer.Answer(200, "ok");
    }
  });
  auto transport = Connect(server);
  transport->Prepare(30);
  EXPECT_THAT(Send(*transport, Write("auth/approle/login")), AnsweredWith("ok"));
  EXPECT_EQ(open, 4);
}

TEST_F(TransportTest, AServerThatClosesAfterEachAnswerIsServedToo) {
  ScriptedServer server([](ServerPeer& peer) {
    peer.ReadRequest();
    peer.Answer(200, "ok", "Connection: close\r\n");
  });
  auto transport = Connect(server);
  const auto batch = SendAll(*transport, Reads(30));
  EXPECT_THAT(batch->exchanges, Each(AnsweredWith("ok")));
}

TEST_F(TransportTest, AServerThatClosesUnderPipelinedReadsIsServedToo) {
  ScriptedServer server([](ServerPeer& peer) {
    for (int i = 0; i < 5; ++i) {
      if (!peer.ReadRequest()) return;
      peer.Answer(200, "ok");
    }
  });
  auto transport = Connect(server);
  const auto batch = SendAll(*transport, Reads(16));
  EXPECT_THAT(batch->exchanges, Each(AnsweredWith("ok")));
}

TEST_F(TransportTest, AConnectionThatEndedWhileIdleIsReplaced) {
  ScriptedServer server([](ServerPeer& peer) {
    peer.ReadRequest();
    peer.Answer(200, "ok");
  });
  auto transport = Connect(server);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(Get(*transport), AnsweredWith("ok"));
    usleep(20'000);
    EXPECT_THAT(Send(*transport, Write()), AnsweredWith("ok"));
    usleep(20'000);
  }
  EXPECT_EQ(server.connections(), 6);
}

TEST_F(TransportTest, AReadThatAnOldConnectionEndsUnderIsRepeated) {
  ScriptedServer server([](ServerPeer& peer) {
    peer.ReadRequest();
    peer.Answer(200, "ok");
    if (peer.number() == 0) peer.ReadRequest();  // and no answer
    if (peer.number() > 0) Echo(peer);
  });
  auto transport = Connect(server);
  EXPECT_THAT(Get(*transport), AnsweredWith("ok"));
  EXPECT_THAT(Get(*transport), AnsweredWith("ok"));
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(TransportTest, AWriteThatAnOldConnectionEndsUnderIsReported) {
  ScriptedServer server([](ServerPeer& peer) {
    peer.ReadRequest();
    peer.Answer(200, "ok");
    peer.ReadRequest();
  });
  auto transport = Connect(server);
  EXPECT_THAT(Get(*transport), AnsweredWith("ok"));
  const Exchange exchange = Send(*transport, Write());
  EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kUnavailable, HasSubstr("without an answer")));
  EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kUnavailable, HasSubstr(server.Url())));
  EXPECT_TRUE(exchange.request_sent);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(TransportTest, AnIdleConnectionDoesNotKeepTheProgramAlive) {
  ScriptedServer server(Echo);
  auto transport = Connect(server);
  ASSERT_THAT(Get(*transport), AnsweredWith("secret/data/x"));
  const auto begin = std::chrono::steady_clock::now();
  context_.restart();
  context_.run();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kPatience / 2);
  EXPECT_THAT(Get(*transport), AnsweredWith("secret/data/x"));
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(TransportTest, NamesAreLookedUpAndEveryAddressIsTried) {
  // Where localhost is ::1 as well, nobody listens there.
  ScriptedServer server(Echo);
  auto transport = Connect(SettingsFor(server.Url("localhost")));
  EXPECT_THAT(Get(*transport), AnsweredWith("secret/data/x"));
}

TEST_F(TransportTest, Ipv6) {
  ScriptedServer server(Echo, std::nullopt, "::1");
  auto transport = Connect(SettingsFor(server.Url("[::1]")));
  EXPECT_THAT(Get(*transport), AnsweredWith("secret/data/x"));
}

TEST_F(TransportTest, PlainHttpGoesThroughAProxyInAbsoluteForm) {
  std::string line, host, password;
  ScriptedServer proxy([&](ServerPeer& peer) {
    auto request = peer.ReadRequest();
    line = request->line;
    host = request->headers["host"];
    password = request->headers["proxy-authorization"];
    peer.Answer(200, "ok");
  });
  ConnectionSettings settings = SettingsFor("http://vault.invalid:8200");
  settings.proxy = Endpoint::Parse(proxy.Url()).value();
  settings.proxy_authorization = Secret::CopyOf("Basic eDp5");
  auto transport = Connect(std::move(settings));
  EXPECT_THAT(Get(*transport), AnsweredWith("ok"));
  EXPECT_EQ(line, "GET http://vault.invalid:8200/v1/secret/data/x HTTP/1.1");
  EXPECT_EQ(host, "vault.invalid:8200");
  EXPECT_EQ(password, "Basic eDp5");
}

TEST_F(TransportTest, AProxyThatWantsAPasswordIsTold) {
  ScriptedServer proxy([](ServerPeer& peer) {
    peer.ReadRequest();
    peer.Answer(407, "");
  });
  ConnectionSettings settings = SettingsFor("http://vault.invalid:8200");
  settings.proxy = Endpoint::Parse(proxy.Url()).value();
  auto transport = Connect(std::move(settings));
  EXPECT_THAT(Get(*transport).result, StatusIs(ErrorKind::kAuth, HasSubstr("user name")));
}

TEST_F(TransportTest, AProxyOverTlsIsRefusedFromTheStart) {
  ConnectionSettings settings = SettingsFor("http://vault.invalid:8200");
  settings.proxy = Endpoint::Parse("https://proxy:3128").value();
  const auto made = MakeHttpTransport(context_.get_executor(), std::move(settings));
  EXPECT_THAT(made, StatusIs(ErrorKind::kUsage, HasSubstr("https://proxy:3128")));
  EXPECT_THAT(made, HintIs(HasSubstr("http://")));
}

}  // namespace
}  // namespace vaultcore
