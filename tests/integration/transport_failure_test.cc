// What can go wrong between us and a server, step by step, and what the caller is told.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <cstdlib>
#include <string>
#include <tuple>

#include "support/transport_fixture.h"

namespace vaultcore {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr Milliseconds kShort{150};

// A port where the system answers no connection any more: its queue is full.
class FullQueue {
 public:
  FullQueue() {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(name);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&name), size) != 0) abort();
    listen(listener_, 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&name), &size);
    port_ = ntohs(name.sin_port);
    for (int& filler : fillers_) {
      filler = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      std::ignore = connect(filler, reinterpret_cast<sockaddr*>(&name), size);
    }
  }
  ~FullQueue() {
    for (const int filler : fillers_) close(filler);
    close(listener_);
  }
  FullQueue(const FullQueue&) = delete;
  FullQueue& operator=(const FullQueue&) = delete;
  std::string Url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  int listener_ = -1;
  int fillers_[4] = {-1, -1, -1, -1};
  uint16_t port_ = 0;
};

void Silent(ServerPeer& peer) { peer.Hang(); }

class TransportFailureTest : public TransportFixture {
 protected:
  // Sends one read to a server that runs `script` and returns the outcome.
  Exchange Against(ScriptedServer::Script script, Milliseconds within = kPatience) {
    ScriptedServer server(std::move(script));
    auto transport = Connect(server);
    return Get(*transport, within);
  }
};

TEST_F(TransportFailureTest, NobodyListens) {
  std::string url;
  {
    ScriptedServer server(Silent);
    url = server.Url();
  }
  auto transport = Connect(SettingsFor(url));
  const Exchange exchange = Get(*transport);
  EXPECT_THAT(exchange.result,
              StatusIs(ErrorKind::kUnavailable,
                       AllOf(HasSubstr("cannot connect to " + url), HasSubstr("refused"))));
  EXPECT_THAT(exchange.result, HintIs(HasSubstr("check that Vault runs there")));
  EXPECT_FALSE(exchange.request_sent);
}

TEST_F(TransportFailureTest, NoSuchHost) {
  ConnectionSettings settings = SettingsFor("http://no-such-host.invalid:8200");
  settings.connect_timeout = Milliseconds(3000);
  auto transport = Connect(std::move(settings));
  const Exchange exchange = Get(*transport);
  EXPECT_THAT(exchange.result,
              StatusIs(ErrorKind::kUnavailable, HasSubstr("no-such-host.invalid")));
  EXPECT_FALSE(exchange.request_sent);
}

TEST_F(TransportFailureTest, NobodyAcceptsTheConnection) {
  FullQueue queue;
  ConnectionSettings settings = SettingsFor(queue.Url());
  settings.connect_timeout = kShort;
  auto transport = Connect(std::move(settings));
  const Exchange exchange = Get(*transport);
  EXPECT_THAT(exchange.result,
              StatusIs(ErrorKind::kUnavailable, HasSubstr("no answer within 150ms")));
  EXPECT_FALSE(exchange.request_sent);
}

TEST_F(TransportFailureTest, TheDeadlinePassesWhileConnecting) {
  FullQueue queue;
  auto transport = Connect(SettingsFor(queue.Url()));
  const Exchange exchange = Get(*transport, kShort);
  EXPECT_THAT(exchange.result,
              StatusIs(ErrorKind::kTimeout,
                       AllOf(HasSubstr(queue.Url()), HasSubstr("connecting to 127.0.0.1"))));
  EXPECT_FALSE(exchange.request_sent);
}

TEST_F(TransportFailureTest, ADeadlineInThePast) {
  ScriptedServer server(Silent);
  auto transport = Connect(server);
  const Exchange exchange = Get(*transport, Milliseconds(-1));
  EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kTimeout));
  EXPECT_FALSE(exchange.request_sent);
}

TEST_F(TransportFailureTest, NoAnswerBeforeTheDeadline) {
  const Exchange exchange = Against(Silent, kShort);
  EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kTimeout, HasSubstr("time was up")));
  EXPECT_TRUE(exchange.request_sent);
}

TEST_F(TransportFailureTest, NoAnswerWithinTheLimitOfOneExchange) {
  ScriptedServer server(Silent);
  ConnectionSettings settings = SettingsFor(server.Url());
  settings.request_timeout = kShort;
  auto transport = Connect(std::move(settings));
  const Exchange exchange = Get(*transport);
  EXPECT_THAT(exchange.result,
              StatusIs(ErrorKind::kUnavailable, HasSubstr("no answer within 150ms")));
  EXPECT_TRUE(exchange.request_sent);
}

TEST_F(TransportFailureTest, TheAnswerStopsInTheMiddle) {
  const Exchange exchange = Against(
      [](ServerPeer& peer) {
        peer.ReadRequest();
        peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        peer.Hang();
      },
      kShort);
  EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kTimeout));
  EXPECT_TRUE(exchange.request_sent);
}

TEST_F(TransportFailureTest, TheConnectionEndsInTheMiddleOfTheAnswer) {
  for (const char* text : {"HTTP/1.1 20", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"}) {
    const Exchange exchange = Against([&](ServerPeer& peer) {
      peer.ReadRequest();
      peer.Send(text);
    });
    EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kUnavailable, HasSubstr("middle"))) << text;
    EXPECT_TRUE(exchange.request_sent);
  }
}

TEST_F(TransportFailureTest, TheConnectionEndsBeforeTheAnswer) {
  const Exchange exchange = Against([](ServerPeer& peer) { peer.ReadRequest(); });
  EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kUnavailable, HasSubstr("without an answer")));
  EXPECT_TRUE(exchange.request_sent);
}

TEST_F(TransportFailureTest, TheConnectionIsReset) {
  const Exchange exchange = Against([](ServerPeer& peer) {
    peer.ReadRequest();
    peer.Reset();
  });
  EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kUnavailable, HasSubstr("reset")));
  EXPECT_TRUE(exchange.request_sent);
}

TEST_F(TransportFailureTest, AnErrorSentWhileWeAreStillSendingIsRead) {
  ScriptedServer server([](ServerPeer& peer) {
    peer.ReadSome();
    peer.Answer(413, "too large", "Connection: close\r\n");
  });
  auto transport = Connect(server);
  const std::string big(8 << 20, 'z');
  const Exchange exchange = Send(*transport, Write("x", big));
  // The reset may win the race against the answer; nothing else may come of it.
  if (exchange.result.ok()) {
    EXPECT_EQ(exchange.result->status, 413);
  } else {
    EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kUnavailable));
  }
  EXPECT_TRUE(exchange.request_sent);
}

TEST_F(TransportFailureTest, Garbage) {
  const Exchange exchange = Against([](ServerPeer& peer) {
    peer.Send("220 mail.example ESMTP ready\r\n");
    peer.Hang();
  });
  EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kProtocol, HasSubstr("not HTTP")));
}

TEST_F(TransportFailureTest, MoreThanTheLimit) {
  ScriptedServer server([](ServerPeer& peer) {
    peer.ReadRequest();
    peer.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "1000\r\n" + std::string(0x1000, 'x') + "\r\n";
    while (peer.Send(chunk)) {
    }
  });
  ConnectionSettings settings = SettingsFor(server.Url());
  settings.max_response_bytes = 100'000;
  auto transport = Connect(std::move(settings));
  EXPECT_THAT(Get(*transport).result,
              StatusIs(ErrorKind::kProtocol, HasSubstr("larger than 100000 bytes")));
}

TEST_F(TransportFailureTest, HeadersWithoutEnd) {
  const Exchange exchange = Against([](ServerPeer& peer) {
    peer.ReadRequest();
    peer.Send("HTTP/1.1 200 OK\r\n");
    while (peer.Send("X-More: " + std::string(1000, 'x') + "\r\n")) {
    }
  });
  EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kProtocol, HasSubstr("headers")));
}

TEST_F(TransportFailureTest, ALateAnswerIsNotTakenForAnothers) {
  ScriptedServer server([](ServerPeer& peer) {
    if (peer.number() == 0) {
      peer.ReadRequest();
      usleep(300'000);
      peer.Answer(200, "late");
    }
    while (peer.ReadRequest()) peer.Answer(200, "right");
  });
  auto transport = Connect(server);
  EXPECT_THAT(Get(*transport, kShort).result, StatusIs(ErrorKind::kTimeout));
  EXPECT_THAT(Get(*transport), AnsweredWith("right"));
}

TEST_F(TransportFailureTest, ATimeoutDoesNotHarmTheReadsBehindIt) {
  ScriptedServer server([](ServerPeer& peer) {
    while (auto request = peer.ReadRequest()) {
      if (request->line.find("slow") != std::string::npos) peer.Hang();
      peer.Answer(200, "ok");
    }
  });
  ConnectionSettings settings = SettingsFor(server.Url());
  settings.max_connections = 1;
  auto transport = Connect(std::move(settings));
  ASSERT_THAT(Get(*transport), AnsweredWith("ok"));
  std::vector<HttpRequest> slow;
  slow.push_back(Read("slow"));
  auto first = Begin(*transport, std::move(slow), kShort);
  auto others = Begin(*transport, Reads(5));
  Finish(*others);
  Finish(*first);
  EXPECT_THAT(first->exchanges[0].result, StatusIs(ErrorKind::kTimeout));
  EXPECT_THAT(others->exchanges, testing::Each(AnsweredWith("ok")));
}

TEST_F(TransportFailureTest, TheServerComesBack) {
  auto server = std::make_unique<ScriptedServer>([](ServerPeer& peer) {
    while (peer.ReadRequest()) peer.Answer(200, "ok");
  });
  auto transport = Connect(*server);
  EXPECT_THAT(Get(*transport), AnsweredWith("ok"));
  server.reset();
  const Exchange exchange = Get(*transport);
  EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kUnavailable, HasSubstr("refused")));
  EXPECT_FALSE(exchange.request_sent);
}

TEST_F(TransportFailureTest, CancelEndsWhatIsUnderWayAtEveryStep) {
  FullQueue queue;
  ScriptedServer silent(Silent);
  for (const std::string& url : {queue.Url(), silent.Url()}) {
    auto transport = Connect(SettingsFor(url));
    // More than there are connections: some wait for one.
    auto batch = Begin(*transport, Writes(20));
    context_.restart();
    context_.run_for(kShort);
    EXPECT_EQ(batch->ended, 0u);
    transport->Cancel();
    Finish(*batch);
    for (const Exchange& exchange : batch->exchanges) {
      EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kCancelled));
    }
    const Exchange after = Get(*transport);
    EXPECT_THAT(after.result, StatusIs(ErrorKind::kCancelled));
    EXPECT_FALSE(after.request_sent);
  }
}

TEST_F(TransportFailureTest, CancelEndsALookup) {
  ConnectionSettings settings = SettingsFor("http://no-such-host.invalid:8200");
  auto transport = Connect(std::move(settings));
  auto batch = Begin(*transport, Reads(1));
  context_.restart();
  context_.poll();
  transport->Cancel();
  Finish(*batch);
  EXPECT_FALSE(batch->exchanges[0].result.ok());
}

TEST_F(TransportFailureTest, TheTransportMayGoBeforeItsCallsHaveEnded) {
  ScriptedServer silent(Silent);
  auto transport = Connect(silent);
  auto batch = Begin(*transport, Reads(3));
  context_.restart();
  context_.run_for(kShort);
  transport.reset();
  Finish(*batch);
  for (const Exchange& exchange : batch->exchanges) {
    EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kCancelled));
  }
}

TEST_F(TransportFailureTest, TheContextMayGoWhileCallsAreUnderWay) {
  ScriptedServer silent(Silent);
  FullQueue queue;
  for (const std::string& url : {silent.Url(), queue.Url()}) {
    const HttpRequest request = Read();
    std::unique_ptr<Transport> transport;
    {
      boost::asio::io_context context(1);
      transport = MakeHttpTransport(context.get_executor(), SettingsFor(url)).value();
      boost::asio::co_spawn(context, transport->RoundTrip(request, kNoDeadline),
                            [](std::exception_ptr, Exchange) {});
      context.run_for(kShort);
      transport.reset();
    }
  }
}

TEST_F(TransportFailureTest, ACallMayBeCancelledAlone) {
  ScriptedServer server([](ServerPeer& peer) {
    while (auto request = peer.ReadRequest()) {
      if (request->line.find("slow") != std::string::npos) peer.Hang();
      peer.Answer(200, "ok");
    }
  });
  auto transport = Connect(server);
  boost::asio::cancellation_signal signal;
  const HttpRequest slow = Read("slow");
  Exchange cancelled;
  bool ended = false;
  boost::asio::co_spawn(context_, transport->RoundTrip(slow, In(kPatience)),
                        boost::asio::bind_cancellation_slot(
                            signal.slot(), [&](std::exception_ptr, Exchange exchange) {
                              cancelled = std::move(exchange);
                              ended = true;
                            }));
  context_.restart();
  context_.run_for(kShort);
  signal.emit(boost::asio::cancellation_type::terminal);
  context_.restart();
  context_.run_for(kShort);
  ASSERT_TRUE(ended);
  EXPECT_THAT(cancelled.result, StatusIs(ErrorKind::kCancelled));
  EXPECT_TRUE(cancelled.request_sent);
  EXPECT_THAT(Get(*transport), AnsweredWith("ok"));
}

}  // namespace
}  // namespace vaultcore
