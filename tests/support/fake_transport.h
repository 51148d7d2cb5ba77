// FakeTransport: answers requests from a script and records them; no sockets.
//
//   FakeServer server;
//   server.Answer(200, R"({"data":{}})");
//   server.Fail(ErrorKind::kUnavailable, "connection refused", /*request_sent=*/false);
//   AsyncClient client(executor, options, auth, server.Factory(), sleeper.AsFunction());
//   ...
//   EXPECT_EQ(server.requests()[0].target(), "/v1/secret/data/x");

#ifndef VAULTCORE_TESTS_SUPPORT_FAKE_TRANSPORT_H_
#define VAULTCORE_TESTS_SUPPORT_FAKE_TRANSPORT_H_

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vaultcore/net/transport.h"

namespace vaultcore {

using FakeHeaders = std::vector<std::pair<std::string, std::string>>;

inline Exchange FakeAnswer(int status, std::string_view body = {}, FakeHeaders headers = {}) {
  HttpResponse response;
  response.status = status;
  response.headers = std::move(headers);
  response.body = Secret::CopyOf(body);
  Exchange exchange;
  exchange.result = std::move(response);
  exchange.request_sent = true;
  return exchange;
}

inline Exchange FakeFailure(ErrorKind kind, std::string_view message, bool request_sent) {
  Exchange exchange;
  exchange.result = MakeError(kind, message);
  exchange.request_sent = request_sent;
  return exchange;
}

// What stands behind all FakeTransports of a test: the script and the record. Copies share both.
class FakeServer {
 public:
  // Answers a request by what it asks: for tests with many requests under way.
  using Handler = std::function<Exchange(const HttpRequest&)>;

  FakeServer() : state_(std::make_shared<State>()) {}

  // The script: one entry an exchange, in order.
  void Add(Exchange exchange) {
    state_->script.push_back([held = std::make_shared<Exchange>(std::move(exchange))](
                                 const HttpRequest&) { return std::move(*held); });
  }
  void Answer(int status, std::string_view body = {}, FakeHeaders headers = {}) {
    Add(FakeAnswer(status, body, std::move(headers)));
  }
  void Fail(ErrorKind kind, std::string_view message, bool request_sent) {
    Add(FakeFailure(kind, message, request_sent));
  }
  // The next exchange gets no answer: it ends at its deadline (kTimeout), or with Cancel().
  void Hang() { state_->script.push_back(nullptr); }
  // Asked when the script is used up. Without one, a request beyond the script is kInternal.
  void OnRequest(Handler handler) { state_->handler = std::move(handler); }

  // What happened.
  const std::vector<HttpRequest>& requests() const { return state_->requests; }
  const std::vector<Deadline>& deadlines() const { return state_->deadlines; }
  // The endpoint that each request went to.
  const std::vector<Endpoint>& endpoints() const { return state_->endpoints; }
  int max_in_flight() const { return state_->max_in_flight; }
  const std::vector<int>& prepared() const { return state_->prepared; }
  size_t script_left() const { return state_->script.size(); }

  // For AsyncClient's parameter of the same type.
  std::function<StatusOr<std::unique_ptr<Transport>>(boost::asio::any_io_executor,
                                                     ConnectionSettings)>
  Factory() const;
  std::unique_ptr<Transport> MakeTransport(boost::asio::any_io_executor executor,
                                           Endpoint endpoint = {}) const;

 private:
  friend class FakeTransport;
  struct State {
    std::deque<Handler> script;
    Handler handler;
    std::vector<HttpRequest> requests;
    std::vector<Deadline> deadlines;
    std::vector<Endpoint> endpoints;
    std::vector<int> prepared;
    int in_flight = 0;
    int max_in_flight = 0;
  };
  std::shared_ptr<State> state_;
};

class FakeTransport final : public Transport {
 public:
  FakeTransport(boost::asio::any_io_executor executor, FakeServer server, Endpoint endpoint)
      : executor_(std::move(executor)),
        server_(std::move(server)),
        endpoint_(std::move(endpoint)) {}
  ~FakeTransport() override { CancelAll(*life_); }

  boost::asio::awaitable<Exchange> RoundTrip(const HttpRequest& request,
                                             Deadline deadline) override {
    // The coroutine may end after the transport has gone.
    const std::shared_ptr<FakeServer::State> state = server_.state_;
    const std::shared_ptr<Life> life = life_;
    if (life->cancelled) co_return Cancelled(false);
    state->requests.push_back(request.Clone());
    state->deadlines.push_back(deadline);
    state->endpoints.push_back(endpoint_);
    state->max_in_flight = std::max(state->max_in_flight, ++state->in_flight);
    FakeServer::Handler handler = state->handler;
    bool hangs = false;
    if (!state->script.empty()) {
      handler = std::move(state->script.front());
      state->script.pop_front();
      hangs = handler == nullptr;
    }
    // As on a network, an answer never comes before others have had their turn.
    co_await boost::asio::post(executor_, boost::asio::use_awaitable);
    Exchange exchange;
    if (hangs) {
      exchange = co_await WaitForEnd(life, deadline);
    } else if (life->cancelled) {
      exchange = Cancelled(true);
    } else if (handler == nullptr) {
      exchange = FakeFailure(ErrorKind::kInternal,
                             "a request beyond the script: " + request.target(), false);
    } else {
      exchange = handler(request);
    }
    --state->in_flight;
    co_return exchange;
  }

  void Prepare(int requests) override { server_.state_->prepared.push_back(requests); }

  void Cancel() override { CancelAll(*life_); }

 private:
  struct Life {
    bool cancelled = false;
    std::set<boost::asio::steady_timer*> hanging;
  };

  static void CancelAll(Life& life) {
    life.cancelled = true;
    for (boost::asio::steady_timer* timer : life.hanging) timer->cancel();
  }

  static Exchange Cancelled(bool request_sent) {
    return FakeFailure(ErrorKind::kCancelled, "cancelled", request_sent);
  }

  static boost::asio::awaitable<Exchange> WaitForEnd(std::shared_ptr<Life> life,
                                                     Deadline deadline) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, deadline);
    boost::system::error_code error;
    if (!life->cancelled) {
      life->hanging.insert(&timer);
      co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, error));
      life->hanging.erase(&timer);
    }
    if (life->cancelled) co_return Cancelled(true);
    co_return FakeFailure(ErrorKind::kTimeout, "no answer in time", true);
  }

  boost::asio::any_io_executor executor_;
  FakeServer server_;
  Endpoint endpoint_;
  std::shared_ptr<Life> life_ = std::make_shared<Life>();
};

inline std::unique_ptr<Transport> FakeServer::MakeTransport(boost::asio::any_io_executor executor,
                                                            Endpoint endpoint) const {
  return std::make_unique<FakeTransport>(std::move(executor), *this, std::move(endpoint));
}

inline std::function<StatusOr<std::unique_ptr<Transport>>(boost::asio::any_io_executor,
                                                          ConnectionSettings)>
FakeServer::Factory() const {
  return [server = *this](boost::asio::any_io_executor executor,
                          ConnectionSettings settings) -> StatusOr<std::unique_ptr<Transport>> {
    return server.MakeTransport(std::move(executor), std::move(settings.address));
  };
}

}  // namespace vaultcore

#endif  // VAULTCORE_TESTS_SUPPORT_FAKE_TRANSPORT_H_
