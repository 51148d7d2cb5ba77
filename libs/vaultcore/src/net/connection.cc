#include "net/connection.h"

#include <boost/asio/post.hpp>
#include <tuple>
#include <utility>

namespace vaultcore::net {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

constexpr size_t kReadPortion = 16 << 10;
// What is moved before others get their turn: a server that never stops sending must not keep
// timers from running.
constexpr int kPortionsInTurn = 16;
constexpr int kTurns = 8;

}  // namespace

Connection::Connection(tcp::socket socket, std::unique_ptr<Stream> stream,
                       std::unique_ptr<Session> session, std::function<void()> on_event)
    : socket_(std::move(socket)),
      stream_(std::move(stream)),
      session_(std::move(session)),
      on_event_(std::move(on_event)) {}

Connection::~Connection() = default;

bool Connection::StillUsable() {
  if (open_) {
    ReadSome(Until::kMustWait);
    if (open_ && !session_->usable()) Shut();
  }
  return open_;
}

// An answer never comes that fast: reading can wait for the socket to be ready.
void Connection::Start() {
  if (!open_) return;
  if (session_->usable() || session_->active() > 0) WriteSome();
  Settle();
}

void Connection::Drop(const Call& call, Status why) {
  session_->Drop(call, std::move(why));
  Start();
}

void Connection::Close(const Status& why) {
  if (!open_) return;
  session_->Fail(why);
  Shut();
}

void Connection::Shut() {
  if (!open_) return;
  open_ = false;
  stream_->SayGoodbye();
  error_code ignored;
  std::ignore = socket_.close(ignored);
  if (on_event_) on_event_();
  on_event_ = nullptr;
}

void Connection::Pump() {
  bool more = true;
  for (int turn = 0; open_ && more && turn < kTurns; ++turn) {
    more = ReadSome(Until::kShortPortion);
    if (open_) WriteSome();
  }
  if (open_ && more) {
    boost::asio::post(socket_.get_executor(), [self = shared_from_this()] { self->OnTurn(); });
  }
}

void Connection::WriteSome() {
  wants_write_ = false;
  for (int portions = 0; write_error_.ok() && portions < kPortionsInTurn; ++portions) {
    const std::string_view bytes = session_->Output();
    if (bytes.empty()) return;
    size_t count = 0;
    switch (stream_->Write(bytes, count)) {
      case IoResult::kOk:
        session_->Wrote(count);
        continue;
      case IoResult::kWantRead:
        return;  // reading is awaited anyway
      case IoResult::kWantWrite:
        wants_write_ = true;
        return;
      // What the server said before it hung up may still be there to read, and says more.
      case IoResult::kEnd:
        write_error_ = MakeError(ErrorKind::kUnavailable, "the server closed the connection");
        return;
      case IoResult::kError:
        write_error_ = stream_->error();
        return;
    }
  }
  // Others first; the socket is most likely still writable.
  wants_write_ = write_error_.ok();
}

bool Connection::ReadSome(Until until) {
  char buffer[kReadPortion];
  for (int portions = 0; portions < kPortionsInTurn; ++portions) {
    size_t count = 0;
    const IoResult result = stream_->Read(buffer, sizeof(buffer), count);
    if (result == IoResult::kOk) {
      const Status status = session_->Input(std::string_view(buffer, count));
      WipeMemory(buffer, count);
      if (!status.ok()) {
        Close(status);
      } else if (until == Until::kMustWait || count == sizeof(buffer) || stream_->HasBuffered()) {
        continue;
      }
    } else if (result == IoResult::kEnd) {
      session_->InputEnd();
      Shut();
    } else if (result == IoResult::kError) {
      const Status& why = stream_->error();
      Close(KindOf(why) == ErrorKind::kUnavailable && !write_error_.ok() ? write_error_ : why);
    } else if (result == IoResult::kWantWrite) {
      wants_write_ = true;
    } else if (!write_error_.ok()) {
      Close(write_error_);
    }
    return false;
  }
  return true;
}

// After bytes have moved: closes what has served its time, waits for what is to come.
//
// Nothing is awaited on an idle connection, so that it does not keep the program's event loop
// alive. What comes meanwhile is found by StillUsable().
void Connection::Settle() {
  if (open_ && !session_->usable() && session_->active() == 0) Shut();
  if (!open_) return;
  if (session_->active() == 0 && session_->Output().empty()) {
    error_code ignored;
    if (read_armed_ || write_armed_) std::ignore = socket_.cancel(ignored);
    return;
  }
  if (!read_armed_) {
    read_armed_ = true;
    socket_.async_wait(tcp::socket::wait_read,
                       [self = shared_from_this()](error_code) { self->OnReady(true); });
  }
  if (wants_write_ && !write_armed_) {
    write_armed_ = true;
    socket_.async_wait(tcp::socket::wait_write,
                       [self = shared_from_this()](error_code) { self->OnReady(false); });
  }
}

void Connection::OnReady(bool for_read) {
  (for_read ? read_armed_ : write_armed_) = false;
  OnTurn();
}

void Connection::OnTurn() {
  if (!open_) return;
  Pump();
  Settle();
  if (on_event_) on_event_();
}

}  // namespace vaultcore::net
