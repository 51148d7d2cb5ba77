#include "net/dial.h"

#include <absl/strings/str_format.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <tuple>
#include <utility>

#include "net/http1.h"

namespace vaultcore::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// A proxy's refusal is short; what is longer is no proxy.
constexpr size_t kMaxTunnelAnswer = 64 << 10;
// More addresses than this are not listed in a message.
constexpr size_t kShownAddresses = 3;

std::string Show(const tcp::endpoint& address) {
  const std::string ip = address.address().to_string();
  return (address.address().is_v6() ? "[" + ip + "]" : ip) + ":" + std::to_string(address.port());
}

void CloseQuietly(tcp::socket& socket) {
  error_code ignored;
  std::ignore = socket.close(ignored);
}

Milliseconds UntilNow(SteadyTime since) {
  return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - since);
}

}  // namespace

Dial::Dial(asio::any_io_executor executor, const ConnectionSettings& settings, const Origin& origin,
           std::shared_ptr<const TlsContext> tls, Addresses known)
    : settings_(settings),
      origin_(origin),
      tls_(std::move(tls)),
      socket_(executor),
      timer_(executor),
      lookup_ready_(executor),
      addresses_(std::move(known)) {}

const Endpoint& Dial::peer() const {
  return settings_.proxy ? *settings_.proxy : settings_.address;
}

asio::awaitable<Status> Dial::Run() {
  Status status = co_await FindAddresses();
  if (status.ok()) status = co_await ConnectToAny();
  if (status.ok() && tls_ && settings_.proxy) status = co_await OpenTunnel();
  if (status.ok()) {
    if (tls_) {
      status = co_await ShakeHands();
    } else {
      stream_ = std::make_unique<PlainStream>(socket_.native_handle());
    }
  }
  EndStep();
  if (!status.ok()) CloseAll();
  co_return status;
}

void Dial::Cancel() {
  cancelled_ = true;
  CloseAll();
}

void Dial::CloseAll() {
  timer_.cancel();
  // The descriptor belongs to the lookup.
  if (lookup_ready_.is_open()) lookup_ready_.release();
  lookup_.reset();
  CloseQuietly(socket_);
}

void Dial::StartStep(std::string step, Milliseconds limit) {
  step_ = std::move(step);
  limit_ = limit;
  const uint64_t number = ++step_number_;
  timer_.expires_after(limit);
  timer_.async_wait([self = shared_from_this(), number](error_code error) {
    if (error || number != self->step_number_) return;
    self->out_of_time_ = true;
    error_code ignored;
    if (self->lookup_ready_.is_open()) {
      std::ignore = self->lookup_ready_.cancel(ignored);
    }
    CloseQuietly(self->socket_);
  });
}

void Dial::EndStep() {
  ++step_number_;
  timer_.cancel();
}

Status Dial::Interrupted() const {
  if (cancelled_) return MakeError(ErrorKind::kCancelled, "cancelled");
  return MakeError(ErrorKind::kUnavailable,
                   step_ + " did not succeed within " + ShowDuration(limit_));
}

asio::awaitable<Status> Dial::FindAddresses() {
  if (cancelled_) co_return Interrupted();
  if (!addresses_.empty()) co_return absl::OkStatus();
  const Endpoint& endpoint = peer();
  error_code error;
  const auto literal = asio::ip::make_address(endpoint.host, error);
  if (!error) {
    addresses_.emplace_back(literal, endpoint.port);
    co_return absl::OkStatus();
  }
  auto lookup = Lookup::Start(endpoint.host, endpoint.port);
  if (!lookup.ok()) co_return lookup.status();
  lookup_ = *std::move(lookup);
  lookup_ready_.assign(lookup_->ready_fd());
  StartStep("the lookup of " + endpoint.host, settings_.connect_timeout);
  error = {};
  co_await lookup_ready_.async_wait(asio::posix::stream_descriptor::wait_read,
                                    asio::redirect_error(asio::use_awaitable, error));
  EndStep();
  if (lookup_ready_.is_open()) lookup_ready_.release();
  if (cancelled_ || out_of_time_) co_return Interrupted();
  auto found = lookup_->Take();
  lookup_.reset();
  if (!found.ok()) co_return found.status();
  addresses_ = *std::move(found);
  co_return absl::OkStatus();
}

asio::awaitable<Status> Dial::ConnectToAny() {
  const SteadyTime begin = std::chrono::steady_clock::now();
  std::string failures;
  for (size_t i = 0; i < addresses_.size(); ++i) {
    const tcp::endpoint address = addresses_[i];
    const Milliseconds left = settings_.connect_timeout - UntilNow(begin);
    if (left <= Milliseconds(0)) break;
    StartStep("connecting to " + Show(address), ShareOfTime(left, addresses_.size() - i));
    Status status = co_await ConnectTo(address);
    EndStep();
    if (status.ok()) {
      std::rotate(addresses_.begin(), addresses_.begin() + static_cast<ptrdiff_t>(i),
                  addresses_.begin() + static_cast<ptrdiff_t>(i) + 1);
      co_return status;
    }
    if (cancelled_) co_return status;
    if (i < kShownAddresses) {
      if (!failures.empty()) failures += "; ";
      if (addresses_.size() > 1 || !IsIpLiteral(peer().host)) failures += Show(address) + ": ";
      failures += MessageOf(status);
    }
  }
  const std::string whom = settings_.proxy ? origin_.proxy : origin_.shown;
  co_return MakeError(ErrorKind::kUnavailable, "cannot connect to " + whom + " (" + failures + ")",
                      settings_.proxy ? "check the proxy's address (HTTPS_PROXY, HTTP_PROXY)"
                                      : "check that Vault runs there, and that the network and "
                                        "firewalls let this machine reach it");
}

asio::awaitable<Status> Dial::ConnectTo(tcp::endpoint address) {
  out_of_time_ = false;
  CloseQuietly(socket_);
  error_code error;
  co_await socket_.async_connect(address, asio::redirect_error(asio::use_awaitable, error));
  if (cancelled_) co_return Interrupted();
  if (out_of_time_) {
    co_return MakeError(ErrorKind::kUnavailable, "no answer within " + ShowDuration(limit_));
  }
  if (error) {
    co_return MakeError(ErrorKind::kUnavailable, AsClause(error.message()));
  }
  std::ignore = socket_.non_blocking(true, error);
  std::ignore = socket_.set_option(tcp::no_delay(true), error);
#ifdef SO_NOSIGPIPE
  using NoSigpipe = asio::detail::socket_option::boolean<SOL_SOCKET, SO_NOSIGPIPE>;
  std::ignore = socket_.set_option(NoSigpipe(true), error);
#endif
  co_return absl::OkStatus();
}

asio::awaitable<bool> Dial::WaitFor(IoResult want) {
  const auto what = want == IoResult::kWantWrite ? tcp::socket::wait_write : tcp::socket::wait_read;
  error_code error;
  co_await socket_.async_wait(what, asio::redirect_error(asio::use_awaitable, error));
  co_return !error && !cancelled_ && !out_of_time_;
}

asio::awaitable<Status> Dial::OpenTunnel() {
  const std::string& proxy = origin_.proxy;
  StartStep("opening a tunnel through " + proxy, settings_.connect_timeout);
  PlainStream stream(socket_.native_handle());
  WireBuffer out;
  SerializeConnect(origin_.authority, settings_.proxy_authorization, out);
  Http1ResponseParser parser(kMaxTunnelAnswer, Http1ResponseParser::Body::kNone);
  WireBuffer in;
  while (!parser.done()) {
    size_t count = 0;
    char buffer[4096];
    const bool writing = !out.empty();
    const IoResult result =
        writing ? stream.Write(out.View(), count) : stream.Read(buffer, sizeof(buffer), count);
    if (result == IoResult::kWantRead || result == IoResult::kWantWrite) {
      const bool ready = co_await WaitFor(result);
      if (!ready) co_return Interrupted();
      continue;
    }
    if (result == IoResult::kError) co_return Annotate(stream.error(), proxy);
    if (result == IoResult::kEnd) {
      co_return MakeError(ErrorKind::kUnavailable,
                          proxy + " closed the connection instead of opening a tunnel");
    }
    if (writing) {
      out.Consume(count);
      continue;
    }
    in.Append(std::string_view(buffer, count));
    auto used = parser.Feed(in.View());
    if (!used.ok()) co_return Annotate(used.status(), proxy);
    in.Consume(*used);
  }
  EndStep();
  const int status = parser.Take().status;
  if (status >= 200 && status < 300) {
    if (in.empty()) co_return absl::OkStatus();
    co_return MakeError(ErrorKind::kProtocol, proxy + " sent more than its answer");
  }
  co_return ProxyRefusal(origin_, status);
}

asio::awaitable<Status> Dial::ShakeHands() {
  StartStep("the TLS handshake with " + origin_.shown, settings_.handshake_timeout);
  auto stream = std::make_unique<TlsStream>(tls_, socket_.native_handle());
  for (;;) {
    const IoResult result = stream->Handshake();
    if (result == IoResult::kOk) break;
    if (result == IoResult::kWantRead || result == IoResult::kWantWrite) {
      const bool ready = co_await WaitFor(result);
      if (!ready) co_return Interrupted();
      continue;
    }
    if (result == IoResult::kEnd || KindOf(stream->error()) == ErrorKind::kUnavailable) {
      co_return MakeError(ErrorKind::kUnavailable,
                          origin_.shown + ": the connection was closed in the TLS handshake");
    }
    co_return Annotate(stream->error(), origin_.shown);
  }
  http2_ = stream->negotiated_http2();
  stream_ = std::move(stream);
  co_return absl::OkStatus();
}

}  // namespace vaultcore::net
