#include "client/exchanger.h"

#include <absl/strings/str_format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "vaultcore/api/errors.h"

namespace vaultcore::internal {
namespace asio = boost::asio;
namespace {

ConnectionSettings CloneSettings(const ConnectionSettings& from, const Endpoint& address) {
  ConnectionSettings to;
  to.address = address;
  to.vault_namespace = from.vault_namespace;
  to.tls = from.tls;
  to.proxy = from.proxy;
  to.proxy_authorization = from.proxy_authorization.Clone();
  to.connect_timeout = from.connect_timeout;
  to.handshake_timeout = from.handshake_timeout;
  to.request_timeout = from.request_timeout;
  to.max_connections = from.max_connections;
  to.max_retries = from.max_retries;
  to.rate_limit = from.rate_limit;
  to.rate_burst = from.rate_burst;
  to.max_response_bytes = from.max_response_bytes;
  return to;
}

Status Cancelled() { return MakeError(ErrorKind::kCancelled, "cancelled"); }

}  // namespace

Exchanger::Exchanger(asio::any_io_executor executor, ClientOptions& options,
                     AsyncClient::TransportFactory make_transport, AsyncClient::Sleeper sleeper)
    : executor_(executor),
      options_(options),
      make_transport_(std::move(make_transport)),
      sleeper_(std::move(sleeper)),
      cancel_wait_(executor) {}

Exchanger::~Exchanger() {
  *alive_ = false;
  // The descriptor belongs to the Cancellation.
  if (cancel_wait_.is_open()) cancel_wait_.release();
}

Status Exchanger::Open() {
  auto transport =
      make_transport_(executor_, CloneSettings(options_.connection, options_.connection.address));
  if (!transport.ok()) return transport.status();
  transport_ = *std::move(transport);
  WatchCancellation();
  return absl::OkStatus();
}

void Exchanger::WatchCancellation() {
  if (options_.cancellation->wait_fd() < 0) return;
  cancel_wait_.assign(options_.cancellation->wait_fd());
  cancel_wait_.async_wait(asio::posix::stream_descriptor::wait_read,
                          [this, alive = alive_](boost::system::error_code error) {
                            if (*alive && !error) Cancel();
                          });
}

void Exchanger::Cancel() {
  if (transport_) transport_->Cancel();
  if (redirected_) redirected_->Cancel();
  for (asio::steady_timer* timer : sleeping_) timer->cancel();
}

void Exchanger::Prepare(int requests) {
  if (transport_) transport_->Prepare(requests);
}

Status Exchanger::AddStandardHeaders(HttpRequest& request, const Secret* token) const {
  if (token != nullptr && !token->empty()) {
    VC_RETURN_IF_ERROR(request.AddHeader("X-Vault-Token", *token));
  }
  if (!options_.connection.vault_namespace.empty()) {
    VC_RETURN_IF_ERROR(request.AddHeader("X-Vault-Namespace", options_.connection.vault_namespace));
  }
  // Vault agents refuse requests without it when so configured: it keeps browsers from being made
  // to ask.
  return request.AddHeader("X-Vault-Request", "true");
}

asio::awaitable<void> Exchanger::Sleep(Milliseconds wait) {
  if (sleeper_) {
    co_await sleeper_(wait);
    co_return;
  }
  asio::steady_timer timer(executor_, wait);
  sleeping_.insert(&timer);
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  sleeping_.erase(&timer);
}

asio::awaitable<void> Exchanger::WaitForRateLimit() {
  const double rate = options_.connection.rate_limit;
  if (rate <= 0) co_return;
  using std::chrono::steady_clock;
  const auto gap =
      std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(1.0 / rate));
  const double burst =
      options_.connection.rate_burst > 0 ? options_.connection.rate_burst : std::max(1.0, rate);
  const auto now = options_.now();
  // A bucket of `burst` requests, as the time at which it would be full again.
  const auto allowance = std::chrono::duration_cast<steady_clock::duration>(gap * (burst - 1));
  next_slot_ = std::max(next_slot_, now - allowance);
  const auto slot = next_slot_;
  next_slot_ += gap;
  if (slot > now) {
    co_await Sleep(std::chrono::ceil<Milliseconds>(slot - now));
  }
}

StatusOr<Transport*> Exchanger::TransportFor(const Endpoint& endpoint) {
  if (redirected_ && redirected_to_ == endpoint) return redirected_.get();
  auto transport = make_transport_(executor_, CloneSettings(options_.connection, endpoint));
  if (!transport.ok()) return transport.status();
  // Requests may still be under way on an earlier redirect's transport; its own state outlives it.
  redirected_ = *std::move(transport);
  redirected_to_ = endpoint;
  return redirected_.get();
}

asio::awaitable<Exchange> Exchanger::TryOnce(HttpRequest request) {
  Exchange exchange = co_await transport_->RoundTrip(request, options_.deadline);
  if (!exchange.result.ok()) co_return exchange;

  auto redirect = RedirectOf(options_.connection.address, *exchange.result);
  if (!redirect.ok()) {
    exchange.result = redirect.status();
    co_return exchange;
  }
  if (!redirect->has_value()) co_return exchange;
  const Redirect& to = **redirect;
  if (to.target != request.target()) {
    exchange.result =
        MakeError(ErrorKind::kRejected,
                  absl::StrFormat("%s redirected %s to another path",
                                  options_.connection.address.ToString(), request.api_path()),
                  "check that the address is Vault's own, with the prefix that a proxy may add");
    co_return exchange;
  }
  auto transport = TransportFor(to.endpoint);
  if (!transport.ok()) {
    exchange.result = transport.status();
    co_return exchange;
  }
  Exchange second = co_await (*transport)->RoundTrip(request, options_.deadline);
  if (second.result.ok()) {
    auto again = RedirectOf(to.endpoint, *second.result);
    if (!again.ok() || again->has_value()) {
      second.result =
          MakeError(ErrorKind::kUnavailable,
                    absl::StrFormat("%s redirected twice for %s",
                                    options_.connection.address.ToString(), request.api_path()),
                    "set the address to the active Vault node");
    }
  }
  co_return second;
}

Status Exchanger::DeadlineError(const HttpRequest& request, const Status* last) const {
  if (last != nullptr && !last->ok()) return Annotate(*last, "out of time");
  return MakeError(
      ErrorKind::kTimeout,
      absl::StrFormat("out of time before %s %s", MethodName(request.method()), request.api_path()),
      "raise the timeout, or see why Vault is slow");
}

asio::awaitable<Exchanged> Exchanger::Send(HttpRequest request, const Secret* token) {
  Exchanged done;
  if (Status added = AddStandardHeaders(request, token); !added.ok()) {
    done.result = added;
    co_return done;
  }
  Status last_error;
  for (int attempt = 0;; ++attempt) {
    co_await WaitForRateLimit();
    if (cancelled()) {
      done.result = Cancelled();
      co_return done;
    }
    const SteadyTime start = options_.now();
    if (start >= options_.deadline) {
      done.result = DeadlineError(request, &last_error);
      co_return done;
    }
    HttpRequest copy = request.Clone();
    Exchange exchange = co_await TryOnce(std::move(copy));
    const SteadyTime end = options_.now();

    Outcome outcome;
    Status error = exchange.result.status();
    if (exchange.result.ok()) {
      outcome.response = &*exchange.result;
    } else {
      outcome.error = &error;
    }
    outcome.request_sent = exchange.request_sent;
    const std::optional<Milliseconds> wait =
        RetryAfter(options_.retry, attempt, outcome, request.idempotent(),
                   TimeLeft(options_.deadline, end), options_.jitter());
    if (options_.observer) {
      RequestEvent event;
      event.method = request.method();
      event.api_path = request.api_path();
      event.attempt = attempt;
      if (exchange.result.ok()) {
        event.http_status = exchange.result->status;
        // Why it is tried again is worth a word ("Vault is sealed"); why it failed for good, the
        // caller says.
        if (wait) event.error = ServerErrors(*exchange.result);
      } else {
        event.error = std::string(MessageOf(error));
      }
      event.duration = std::chrono::duration_cast<Milliseconds>(end - start);
      event.retry_in = wait;
      options_.observer(event);
    }
    // An error answer came from a server that refused; only a lost answer (or a gateway's) leaves
    // it open.
    const bool open =
        exchange.request_sent && (!exchange.result.ok() || exchange.result->status >= 500);
    if (!wait) {
      done.maybe_done = open;
      if (!exchange.result.ok() && !cancelled() && options_.now() >= options_.deadline) {
        done.result = DeadlineError(request, &error);
      } else {
        done.result = std::move(exchange.result);
      }
      co_return done;
    }
    if (cancelled()) {
      done.maybe_done = open;
      done.result = Cancelled();
      co_return done;
    }
    done.maybe_done_before = done.maybe_done_before || open;
    last_error = error;
    co_await Sleep(*wait);
  }
}

asio::awaitable<StatusOr<HttpResponse>> Exchanger::SendOnceApart(HttpRequest request,
                                                                 const Secret* token,
                                                                 Deadline deadline) {
  VC_CO_RETURN_IF_ERROR(AddStandardHeaders(request, token));
  Transport* transport = transport_.get();
  std::unique_ptr<Transport> apart;
  if (transport == nullptr || cancelled()) {
    auto made =
        make_transport_(executor_, CloneSettings(options_.connection, options_.connection.address));
    if (!made.ok()) co_return made.status();
    apart = *std::move(made);
    transport = apart.get();
  }
  Exchange exchange = co_await transport->RoundTrip(request, deadline);
  co_return std::move(exchange.result);
}

}  // namespace vaultcore::internal
