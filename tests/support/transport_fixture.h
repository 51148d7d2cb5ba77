// What the tests of the transport share: a context, requests, and many of them at once.

#ifndef VAULTCORE_TESTS_SUPPORT_TRANSPORT_FIXTURE_H_
#define VAULTCORE_TESTS_SUPPORT_TRANSPORT_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/run_sync.h"
#include "support/scripted_server.h"
#include "support/status_matchers.h"
#include "vaultcore/net/transport.h"

namespace vaultcore {

// GoogleTest would print the bytes of it.
inline void PrintTo(const Exchange& exchange, std::ostream* out) {
  testing_support::Explain(exchange.result.status(), out);
  *out << (exchange.request_sent ? ", sent" : ", not sent");
}

// Long enough for a busy machine, short enough for a hanging test.
inline constexpr Milliseconds kPatience{20'000};

inline Deadline In(Milliseconds time) { return std::chrono::steady_clock::now() + time; }

class TransportFixture : public testing::Test {
 protected:
  static ConnectionSettings SettingsFor(std::string_view url) {
    ConnectionSettings settings;
    settings.address = Endpoint::Parse(url).value();
    settings.request_timeout = kPatience;
    return settings;
  }

  std::unique_ptr<Transport> Connect(ConnectionSettings settings) {
    auto transport = MakeHttpTransport(context_.get_executor(), std::move(settings));
    EXPECT_THAT(transport, IsOk());
    return *std::move(transport);
  }
  std::unique_ptr<Transport> Connect(const ScriptedServer& server) {
    return Connect(SettingsFor(server.Url()));
  }

  static HttpRequest Read(std::string_view path = "secret/data/x") {
    return HttpRequest(Method::kGet, path);
  }
  static HttpRequest Write(std::string_view path = "secret/data/x", std::string_view body = "{}") {
    return HttpRequest(Method::kPost, path, Secret::CopyOf(body));
  }

  Exchange Send(Transport& transport, const HttpRequest& request, Milliseconds within = kPatience) {
    return RunSync(context_, transport.RoundTrip(request, In(within)));
  }
  Exchange Get(Transport& transport, Milliseconds within = kPatience) {
    return Send(transport, Read(), within);
  }

  // All at once; the answers are in the order of the requests. Nothing is run yet: see Finish().
  struct Batch {
    std::vector<HttpRequest> requests;
    std::vector<Exchange> exchanges;
    size_t ended = 0;
  };
  std::unique_ptr<Batch> Begin(Transport& transport, std::vector<HttpRequest> requests,
                               Milliseconds within = kPatience) {
    auto batch = std::make_unique<Batch>();
    batch->requests = std::move(requests);
    batch->exchanges.resize(batch->requests.size());
    for (size_t i = 0; i < batch->requests.size(); ++i) {
      boost::asio::co_spawn(context_, transport.RoundTrip(batch->requests[i], In(within)),
                            [batch = batch.get(), i](std::exception_ptr error, Exchange exchange) {
                              if (error) std::rethrow_exception(error);
                              batch->exchanges[i] = std::move(exchange);
                              ++batch->ended;
                            });
    }
    return batch;
  }
  void Finish(const Batch& batch) {
    context_.restart();
    while (batch.ended < batch.requests.size() && context_.run_one() > 0) {
    }
    ASSERT_EQ(batch.ended, batch.requests.size());
  }
  std::unique_ptr<Batch> SendAll(Transport& transport, std::vector<HttpRequest> requests,
                                 Milliseconds within = kPatience) {
    auto batch = Begin(transport, std::move(requests), within);
    Finish(*batch);
    return batch;
  }
  static std::vector<HttpRequest> Reads(int count) {
    std::vector<HttpRequest> requests;
    for (int i = 0; i < count; ++i) requests.push_back(Read("secret/data/" + std::to_string(i)));
    return requests;
  }
  static std::vector<HttpRequest> Writes(int count) {
    std::vector<HttpRequest> requests;
    for (int i = 0; i < count; ++i) {
      requests.push_back(
          Write("secret/data/" + std::to_string(i), "{\"n\":" + std::to_string(i) + "}"));
    }
    return requests;
  }

  boost::asio::io_context context_{1};
};

// Matches an Exchange whose answer has this body.
MATCHER_P(AnsweredWith, body, "is an answer with the body " + testing::PrintToString(body)) {
  testing_support::Explain(arg.result.status(), result_listener->stream());
  if (!arg.result.ok()) return false;
  *result_listener << " with the body " << arg.result->body.Reveal().substr(0, 100);
  return arg.request_sent && arg.result->body.Reveal() == std::string_view(body);
}

}  // namespace vaultcore

#endif  // VAULTCORE_TESTS_SUPPORT_TRANSPORT_FIXTURE_H_
