#include "net/pool.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

#include "net/http2_session.h"

namespace vaultcore::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr size_t kMostReadConnections = 4;
// How often a call is put on another connection because an old one ended under it.
constexpr int kMaxRequeues = 3;
// Addresses are looked up anew after this.
constexpr std::chrono::seconds kAddressLife{60};
// A longer limit is none.
constexpr std::chrono::hours kLongestTimeout{24 * 365};

size_t ConnectionsForReads(size_t reads) {
  return std::clamp<size_t>((reads + kPipelineWindow - 1) / kPipelineWindow, 1,
                            kMostReadConnections);
}

Status CancelledError() { return MakeError(ErrorKind::kCancelled, "cancelled"); }

}  // namespace

class Pool::PendingCall final : public Call,
                                public std::enable_shared_from_this<Pool::PendingCall> {
 public:
  PendingCall(Pool* pool, const HttpRequest& request, Deadline end, bool callers_deadline)
      : timer(pool->executor_, end),
        end_is_callers(callers_deadline),
        pool_(pool),
        request_(&request),
        is_read_(MayBePipelined(request)) {
    ++counter();
  }
  ~PendingCall() override = default;

  const HttpRequest* request() const override { return request_; }

  void OnAnswer(HttpResponse response) override {
    if (ended_) return;
    exchange.result = std::move(response);
    exchange.request_sent = true;
    End();
  }

  void OnFailure(Status why, Seen seen, bool outdated) override {
    if (ended_) return;
    const bool unharmed =
        seen == Seen::kNothing || (seen == Seen::kMaybe && request_->idempotent());
    if (outdated && unharmed && !given_up && KindOf(why) == ErrorKind::kUnavailable &&
        ++requeues_ <= kMaxRequeues) {
      connection.reset();
      pool_->Requeue(shared_from_this());
      return;
    }
    Fail(Annotate(why, pool_->origin_.shown), seen != Seen::kNothing);
  }

  void Fail(Status why, bool request_sent) {
    if (ended_) return;
    exchange.result = std::move(why);
    exchange.request_sent = request_sent;
    End();
  }

  // The caller has gone without waiting for the end.
  void Abandon() {
    if (!ended_) End();
  }

  bool ended() const { return ended_; }

  asio::steady_timer timer;   // ends the wait: at its time, or when it is cancelled
  const bool end_is_callers;  // the caller's deadline comes first, not the limit of one exchange
  Exchange exchange;
  ConnectionPtr connection;  // that it is on; null while it waits for one
  bool given_up = false;

 private:
  size_t& counter() { return is_read_ ? pool_->reads_ : pool_->writes_; }

  void End() {
    ended_ = true;
    --counter();
    request_ = nullptr;
    connection.reset();
    timer.cancel();
    // Its place is free for another.
    if (!pool_->queue_.empty()) pool_->ScheduleSoon();
  }

  Pool* const pool_;  // held by the coroutine that waits for this call
  const HttpRequest* request_;
  const bool is_read_;
  int requeues_ = 0;
  bool ended_ = false;
};

Pool::Pool(asio::any_io_executor executor, ConnectionSettings settings,
           std::shared_ptr<const TlsContext> tls)
    : executor_(std::move(executor)),
      settings_(std::move(settings)),
      origin_(Origin::From(settings_)),
      tls_(std::move(tls)),
      most_connections_(static_cast<size_t>(std::max(settings_.max_connections, 1))) {}

asio::awaitable<Exchange> Pool::RoundTrip(std::shared_ptr<Pool> pool, const HttpRequest& request,
                                          Deadline deadline) {
  Deadline end = deadline;
  if (pool->settings_.request_timeout.count() > 0 &&
      pool->settings_.request_timeout < kLongestTimeout) {
    end = std::min(end, std::chrono::steady_clock::now() + pool->settings_.request_timeout);
  }
  const CallPtr call = std::make_shared<PendingCall>(pool.get(), request, end, end == deadline);
  struct Guard {
    explicit Guard(const CallPtr& guarded) : call(guarded) {}
    ~Guard() { call->Abandon(); }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    const CallPtr& call;
  };
  const Guard guard(call);
  if (pool->cancelled_) {
    call->Fail(CancelledError(), false);
  } else {
    pool->queue_.push_back(call);
    pool->ScheduleSoon();
    error_code error;
    co_await call->timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (!call->ended()) pool->GiveUp(call, static_cast<bool>(error));
  }
  co_return std::move(call->exchange);
}

// The call's time is up, or (`interrupted`) its coroutine has been cancelled.
void Pool::GiveUp(const CallPtr& call, bool interrupted) {
  Status why;
  if (interrupted) {
    why = CancelledError();
  } else {
    std::string message = "no answer within " + ShowDuration(settings_.request_timeout);
    ErrorKind kind = ErrorKind::kUnavailable;
    if (call->end_is_callers) {
      message = "no answer before the time was up";
      kind = ErrorKind::kTimeout;
    }
    if (!call->connection && !dials_.empty()) {
      message += " (" + dials_.front()->step() + " was under way)";
    }
    why = MakeError(kind, message);
  }
  call->given_up = true;
  if (const ConnectionPtr connection = call->connection) {
    connection->Drop(*call, why);
    ScheduleSoon();
  }
  // Still here: it was waiting for a connection.
  std::erase(queue_, call);
  call->Fail(Annotate(why, origin_.shown), false);
}

void Pool::Prepare(int requests) {
  if (cancelled_ || requests <= 0) return;
  hinted_connections_ = ConnectionsForReads(static_cast<size_t>(requests));
  ScheduleSoon();
}

void Pool::Cancel() {
  if (std::exchange(cancelled_, true)) return;
  for (const auto& dial : std::exchange(dials_, {})) dial->Cancel();
  for (const CallPtr& call : std::exchange(queue_, {})) call->Fail(CancelledError(), false);
  for (const auto& connection : std::exchange(connections_, {})) {
    connection->Close(CancelledError());
  }
}

void Pool::ScheduleSoon() {
  if (cancelled_ || std::exchange(scheduled_, true)) return;
  asio::post(executor_, [self = shared_from_this()] {
    self->scheduled_ = false;
    self->Schedule();
  });
}

void Pool::Schedule() {
  if (cancelled_) return;
  std::erase_if(connections_, [](const auto& connection) { return !connection->open(); });
  std::vector<ConnectionPtr> touched;
  std::deque<CallPtr> waiting;
  bool room_for_reads = true;
  bool room_for_writes = true;
  for (const CallPtr& call : std::exchange(queue_, {})) {
    if (call->ended()) continue;
    bool& room = MayBePipelined(*call->request()) ? room_for_reads : room_for_writes;
    const ConnectionPtr connection = room ? Pick(*call->request()) : nullptr;
    if (!connection) {
      room = false;
      waiting.push_back(call);
      continue;
    }
    call->connection = connection;
    connection->Submit(call);
    if (std::find(touched.begin(), touched.end(), connection) == touched.end()) {
      touched.push_back(connection);
    }
  }
  queue_.insert(queue_.begin(), waiting.begin(), waiting.end());
  for (const ConnectionPtr& connection : touched) connection->Start();
  DialMore();
}

Pool::ConnectionPtr Pool::Pick(const HttpRequest& request) {
  for (;;) {
    ConnectionPtr best;
    for (const ConnectionPtr& connection : connections_) {
      if (connection->CanTake(request) && (!best || connection->active() < best->active())) {
        best = connection;
      }
    }
    // The server may have ended it while it was idle.
    if (!best || !best->idle() || best->StillUsable()) return best;
  }
}

void Pool::Requeue(CallPtr call) {
  queue_.push_front(std::move(call));
  ScheduleSoon();
}

size_t Pool::CountUsable() const {
  return static_cast<size_t>(std::count_if(connections_.begin(), connections_.end(),
                                           [](const auto& c) { return c->usable(); }));
}

size_t Pool::WantedConnections() const {
  if (queue_.empty() && hinted_connections_ == 0) return 0;
  // The first connection tells which protocol it is, and whether the server is there at all.
  if (!established_ || http2_) return 1;
  size_t wanted = hinted_connections_;
  if (!queue_.empty()) {
    const bool one_each = knowledge_.pipelining == Http1Knowledge::Pipelining::kNo;
    const size_t for_reads = reads_ == 0 ? 0
                             : one_each  ? std::min(reads_, 2 * kMostReadConnections)
                                         : ConnectionsForReads(reads_);
    wanted = std::max(wanted, for_reads + writes_);
  }
  return std::min(wanted, most_connections_);
}

void Pool::DialMore() {
  const size_t wanted = WantedConnections();
  if (established_) hinted_connections_ = 0;
  if (std::chrono::steady_clock::now() - known_since_ > kAddressLife) known_addresses_.clear();
  for (size_t count = CountUsable() + dials_.size(); count < wanted; ++count) {
    auto dial = std::make_shared<Dial>(executor_, settings_, origin_, tls_, known_addresses_);
    dials_.push_back(dial);
    asio::co_spawn(executor_, RunDial(shared_from_this(), dial), [](std::exception_ptr exception) {
      if (exception) std::rethrow_exception(exception);
    });
  }
}

asio::awaitable<void> Pool::RunDial(std::shared_ptr<Pool> pool, std::shared_ptr<Dial> dial) {
  const Status status = co_await dial->Run();
  pool->OnDialed(dial, status);
}

void Pool::OnDialed(const std::shared_ptr<Dial>& dial, const Status& status) {
  if (cancelled_) return;
  std::erase(dials_, dial);
  if (status.ok()) {
    known_addresses_ = dial->TakeAddresses();
    known_since_ = std::chrono::steady_clock::now();
    established_ = true;
    http2_ = dial->http2();
    most_connections_ = static_cast<size_t>(std::max(settings_.max_connections, 1));
    std::unique_ptr<Session> session;
    if (http2_) {
      session = std::make_unique<Http2Session>(origin_, settings_.max_response_bytes);
    } else {
      session = std::make_unique<Http1Session>(origin_, knowledge_, settings_.max_response_bytes);
    }
    connections_.push_back(std::make_shared<Connection>(
        dial->TakeSocket(), dial->TakeStream(), std::move(session), [weak = weak_from_this()] {
          const auto self = weak.lock();
          if (self && !self->queue_.empty()) self->ScheduleSoon();
        }));
    Schedule();
    return;
  }
  known_addresses_.clear();
  const size_t left = CountUsable() + dials_.size();
  if (left > 0) {
    // The server takes no more: the calls share what there is.
    most_connections_ = left;
    return;
  }
  hinted_connections_ = 0;
  for (const CallPtr& call : std::exchange(queue_, {})) call->Fail(status, false);
}

}  // namespace vaultcore::net
