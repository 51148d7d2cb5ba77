// Host names, with the system's resolver replaced by a scripted one: stalls, failures, several
// addresses.

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/transport_fixture.h"

namespace vaultcore {
namespace {

// What getaddrinfo() below answers.
struct Resolver {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, std::vector<std::string>> addresses;
  std::map<std::string, int> errors;
  std::vector<std::string> asked;
  bool stalled = false;
  int inside = 0;  // calls under way

  static Resolver& Get() {
    static Resolver* const resolver = new Resolver();
    return *resolver;
  }
};

}  // namespace
}  // namespace vaultcore

// The linker takes these before the C library's.
extern "C" int getaddrinfo(const char* host, const char* port, const addrinfo* hints,
                           addrinfo** result) {
  auto& resolver = vaultcore::Resolver::Get();
  std::unique_lock<std::mutex> lock(resolver.mutex);
  resolver.asked.emplace_back(host);
  ++resolver.inside;
  resolver.changed.wait(lock, [&] { return !resolver.stalled; });
  --resolver.inside;
  resolver.changed.notify_all();
  if (const auto error = resolver.errors.find(host); error != resolver.errors.end()) {
    return error->second;
  }
  addrinfo** next = result;
  *next = nullptr;
  for (const std::string& text : resolver.addresses[host]) {
    const bool is_v6 = text.find(':') != std::string::npos;
    auto* info = static_cast<addrinfo*>(calloc(1, sizeof(addrinfo)));
    info->ai_family = is_v6 ? AF_INET6 : AF_INET;
    info->ai_socktype = hints->ai_socktype;
    info->ai_addrlen = is_v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    info->ai_addr = static_cast<sockaddr*>(calloc(1, info->ai_addrlen));
    info->ai_addr->sa_family = static_cast<sa_family_t>(info->ai_family);
    const auto number = htons(static_cast<uint16_t>(atoi(port)));
    if (is_v6) {
      auto* v6 = reinterpret_cast<sockaddr_in6*>(info->ai_addr);
      v6->sin6_port = number;
      inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr);
    } else {
      auto* v4 = reinterpret_cast<sockaddr_in*>(info->ai_addr);
      v4->sin_port = number;
      inet_pton(AF_INET, text.c_str(), &v4->sin_addr);
    }
    *next = info;
    next = &info->ai_next;
  }
  return 0;
}

extern "C" void freeaddrinfo(addrinfo* info) {
  while (info != nullptr) {
    addrinfo* const next = info->ai_next;
    free(info->ai_addr);
    free(info);
    info = next;
  }
}

namespace vaultcore {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Milliseconds kShort{150};

class TransportLookupTest : public TransportFixture {
 protected:
  TransportLookupTest()
      : server_([](ServerPeer& peer) {
          while (peer.ReadRequest()) peer.Answer(200, "ok");
        }) {
    const std::lock_guard<std::mutex> lock(resolver_.mutex);
    resolver_.addresses.clear();
    resolver_.errors.clear();
    resolver_.asked.clear();
    resolver_.stalled = false;
  }
  ~TransportLookupTest() override { Release(); }

  void Stall() {
    const std::lock_guard<std::mutex> lock(resolver_.mutex);
    resolver_.stalled = true;
  }
  // Lets stalled lookups end, and waits for it.
  void Release() {
    std::unique_lock<std::mutex> lock(resolver_.mutex);
    resolver_.stalled = false;
    resolver_.changed.notify_all();
    resolver_.changed.wait(lock, [&] { return resolver_.inside == 0; });
  }
  std::vector<std::string> asked() {
    const std::lock_guard<std::mutex> lock(resolver_.mutex);
    return resolver_.asked;
  }
  ConnectionSettings SettingsForHost(std::string_view host) {
    return SettingsFor(server_.Url(host));
  }

  Resolver& resolver_ = Resolver::Get();
  ScriptedServer server_;  // on 127.0.0.1
};

TEST_F(TransportLookupTest, AddressesNeedNoLookup) {
  EXPECT_THAT(Get(*Connect(SettingsForHost("127.0.0.1"))), AnsweredWith("ok"));
  EXPECT_THAT(asked(), IsEmpty());
}

TEST_F(TransportLookupTest, OneLookupServesAllConnections) {
  resolver_.addresses["vault.test"] = {"127.0.0.1"};
  auto transport = Connect(SettingsForHost("vault.test"));
  const auto batch = SendAll(*transport, Writes(30));
  EXPECT_THAT(batch->exchanges, testing::Each(AnsweredWith("ok")));
  EXPECT_GT(server_.connections(), 1);
  EXPECT_THAT(asked(), ElementsAre("vault.test"));
}

TEST_F(TransportLookupTest, TheDotAfterAHostReachesTheResolver) {
  resolver_.addresses["vault.test."] = {"127.0.0.1"};
  EXPECT_THAT(Get(*Connect(SettingsForHost("vault.test."))), AnsweredWith("ok"));
  EXPECT_THAT(asked(), ElementsAre("vault.test."));
}

TEST_F(TransportLookupTest, AddressesAreTriedInTurn) {
  resolver_.addresses["vault.test"] = {"::1", "127.0.0.2", "127.0.0.1"};
  auto transport = Connect(SettingsForHost("vault.test"));
  EXPECT_THAT(Get(*transport), AnsweredWith("ok"));
  // The one that worked comes first from now on: more connections are made at once.
  const auto batch = SendAll(*transport, Writes(10));
  EXPECT_THAT(batch->exchanges, testing::Each(AnsweredWith("ok")));
  EXPECT_THAT(asked(), ElementsAre("vault.test"));
}

TEST_F(TransportLookupTest, AllAddressesThatFailedAreNamed) {
  resolver_.addresses["vault.test"] = {"127.0.0.2", "127.0.0.3"};
  const Exchange exchange = Get(*Connect(SettingsForHost("vault.test")));
  const std::string port = std::to_string(server_.port());
  EXPECT_THAT(exchange.result,
              StatusIs(ErrorKind::kUnavailable,
                       AllOf(HasSubstr("http://vault.test:" + port),
                             HasSubstr("127.0.0.2:" + port + ": connection refused"),
                             HasSubstr("127.0.0.3:" + port + ": connection refused"))));
  EXPECT_FALSE(exchange.request_sent);
}

TEST_F(TransportLookupTest, FailuresAreTold) {
  resolver_.errors["none.test"] = EAI_NONAME;
  resolver_.errors["again.test"] = EAI_AGAIN;
  resolver_.addresses["empty.test"] = {};
  const Exchange none = Get(*Connect(SettingsForHost("none.test")));
  EXPECT_THAT(none.result,
              StatusIs(ErrorKind::kUnavailable, "cannot look up none.test: no such host"));
  EXPECT_THAT(none.result, HintIs(HasSubstr("VAULT_ADDR")));
  EXPECT_FALSE(none.request_sent);
  const Exchange again = Get(*Connect(SettingsForHost("again.test")));
  EXPECT_THAT(again.result,
              StatusIs(ErrorKind::kUnavailable, HasSubstr("name server does not answer")));
  EXPECT_THAT(again.result, HintIs(HasSubstr("resolv.conf")));
  EXPECT_THAT(Get(*Connect(SettingsForHost("empty.test"))).result,
              StatusIs(ErrorKind::kUnavailable, HasSubstr("no such host")));
}

TEST_F(TransportLookupTest, AStalledLookupIsGivenUp) {
  Stall();
  ConnectionSettings settings = SettingsForHost("vault.test");
  settings.connect_timeout = kShort;
  const Exchange exchange = Get(*Connect(std::move(settings)));
  EXPECT_THAT(exchange.result,
              StatusIs(ErrorKind::kUnavailable,
                       AllOf(HasSubstr("lookup of vault.test"), HasSubstr("150ms"))));
  EXPECT_FALSE(exchange.request_sent);
}

TEST_F(TransportLookupTest, TheDeadlinePassesInALookup) {
  Stall();
  const Exchange exchange = Get(*Connect(SettingsForHost("vault.test")), kShort);
  EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kTimeout, HasSubstr("lookup of vault.test")));
}

TEST_F(TransportLookupTest, CancelEndsALookup) {
  Stall();
  auto transport = Connect(SettingsForHost("vault.test"));
  auto batch = Begin(*transport, Reads(3));
  context_.restart();
  context_.run_for(kShort);
  transport->Cancel();
  Finish(*batch);
  for (const Exchange& exchange : batch->exchanges) {
    EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kCancelled));
  }
}

TEST_F(TransportLookupTest, NobodyWaitsForAStalledLookupAtTheEnd) {
  Stall();
  const HttpRequest request = Read();
  const auto begin = std::chrono::steady_clock::now();
  {
    boost::asio::io_context context(1);
    auto transport =
        MakeHttpTransport(context.get_executor(), SettingsForHost("vault.test")).value();
    boost::asio::co_spawn(context, transport->RoundTrip(request, In(kShort)),
                          [](std::exception_ptr, Exchange) {});
    context.run_for(2 * kShort);
    transport.reset();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kPatience / 2);
  // The thread's answer comes when nobody is there any more.
  Release();
  usleep(50'000);
}

}  // namespace
}  // namespace vaultcore
