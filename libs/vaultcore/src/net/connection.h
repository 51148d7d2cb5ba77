// Connection: a connected stream and a session, and the pump between them.

#ifndef VAULTCORE_NET_CONNECTION_H_
#define VAULTCORE_NET_CONNECTION_H_

#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>

#include "net/session.h"
#include "net/stream.h"
#include "vaultcore/base/status.h"

namespace vaultcore::net {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // `on_event` is called after anything that may change what CanTake() and open() say; not from
  // within a call of a function of this class, except Close().
  Connection(boost::asio::ip::tcp::socket socket, std::unique_ptr<Stream> stream,
             std::unique_ptr<Session> session, std::function<void()> on_event);
  ~Connection();

  bool open() const { return open_; }
  // False when it will take no more calls, though some may still be under way.
  bool usable() const { return open_ && session_->usable(); }
  bool CanTake(const HttpRequest& request) const { return open_ && session_->CanTake(request); }
  size_t active() const { return session_->active(); }
  bool idle() const { return session_->active() == 0; }

  // For an idle connection: takes in what has come meanwhile, a goodbye for instance. False when
  // the connection is not usable any more; it is then closed.
  bool StillUsable();
  // Submit, then Start, once for all that was submitted together.
  void Submit(std::shared_ptr<Call> call) { session_->Submit(std::move(call)); }
  void Start();
  void Drop(const Call& call, Status why);
  // Ends every call with `why`.
  void Close(const Status& why);

 private:
  void Pump();
  void WriteSome();
  // A short portion has most likely emptied the socket: asking again would cost a system call.
  enum class Until { kShortPortion, kMustWait };
  bool ReadSome(Until until);  // true when there may be more
  void Settle();
  void OnReady(bool for_read);
  void OnTurn();
  void Shut();

  boost::asio::ip::tcp::socket socket_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Session> session_;
  std::function<void()> on_event_;
  Status write_error_;
  bool open_ = true;
  bool wants_write_ = false;
  bool read_armed_ = false;
  bool write_armed_ = false;
};

}  // namespace vaultcore::net

#endif  // VAULTCORE_NET_CONNECTION_H_
