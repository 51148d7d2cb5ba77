// Pool: the connections to one server, and which call goes over which of them.
//
// HTTP/2: one connection, up to 64 streams. HTTP/1.1: a write has a connection to itself; reads are
// pipelined, at most 8 on a connection, over at most 4 connections.

#ifndef VAULTCORE_NET_POOL_H_
#define VAULTCORE_NET_POOL_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <deque>
#include <memory>
#include <vector>

#include "net/connection.h"
#include "net/dial.h"
#include "net/http1_session.h"
#include "net/origin.h"
#include "net/tls_context.h"
#include "vaultcore/net/transport.h"

namespace vaultcore::net {

class Pool : public std::enable_shared_from_this<Pool> {
 public:
  // `tls` is null for plain HTTP.
  Pool(boost::asio::any_io_executor executor, ConnectionSettings settings,
       std::shared_ptr<const TlsContext> tls);

  // As Transport's. A coroutine may outlive its caller's interest in this object: it holds a
  // reference.
  static boost::asio::awaitable<Exchange> RoundTrip(std::shared_ptr<Pool> pool,
                                                    const HttpRequest& request, Deadline deadline);
  void Prepare(int requests);
  void Cancel();

 private:
  class PendingCall;
  using CallPtr = std::shared_ptr<PendingCall>;
  using ConnectionPtr = std::shared_ptr<Connection>;

  // Calls Schedule() once whatever is under way now has ended: what is asked for at the same time
  // goes out in one packet.
  void ScheduleSoon();
  void Schedule();
  ConnectionPtr Pick(const HttpRequest& request);
  void Requeue(CallPtr call);
  void GiveUp(const CallPtr& call, bool interrupted);

  size_t CountUsable() const;
  size_t WantedConnections() const;
  void DialMore();
  static boost::asio::awaitable<void> RunDial(std::shared_ptr<Pool> pool,
                                              std::shared_ptr<Dial> dial);
  void OnDialed(const std::shared_ptr<Dial>& dial, const Status& status);

  const boost::asio::any_io_executor executor_;
  const ConnectionSettings settings_;
  const Origin origin_;
  const std::shared_ptr<const TlsContext> tls_;
  Http1Knowledge knowledge_;
  std::deque<CallPtr> queue_;  // calls that wait for a connection
  std::vector<ConnectionPtr> connections_;
  std::vector<std::shared_ptr<Dial>> dials_;
  size_t reads_ = 0;  // calls that have not ended: queued and on connections
  size_t writes_ = 0;
  size_t hinted_connections_ = 0;
  size_t most_connections_;
  bool established_ = false;  // there has been a connection, so the protocol is known
  bool http2_ = false;
  Addresses known_addresses_;
  SteadyTime known_since_{};
  bool scheduled_ = false;
  bool cancelled_ = false;
};

}  // namespace vaultcore::net

#endif  // VAULTCORE_NET_POOL_H_
