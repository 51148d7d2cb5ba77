// Dial: makes one connection: lookup, TCP (each address in turn), the proxy's tunnel, TLS. Each
// step has its time limit and its own words when it fails.

#ifndef VAULTCORE_NET_DIAL_H_
#define VAULTCORE_NET_DIAL_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>

#include "net/lookup.h"
#include "net/origin.h"
#include "net/stream.h"
#include "net/tls_context.h"
#include "net/tls_stream.h"
#include "vaultcore/model/connection.h"

namespace vaultcore::net {

class Dial : public std::enable_shared_from_this<Dial> {
 public:
  // `tls` is null for plain HTTP. `settings` and `origin` outlive the dial. `known` are addresses
  // that an earlier dial found; empty: look them up.
  Dial(boost::asio::any_io_executor executor, const ConnectionSettings& settings,
       const Origin& origin, std::shared_ptr<const TlsContext> tls, Addresses known);

  // Once. The caller holds a shared_ptr until the end. Errors: kUnavailable, kTls, kCancelled,
  // kAuth and kRejected (the proxy).
  boost::asio::awaitable<Status> Run();
  // Makes Run() end soon, with kCancelled.
  void Cancel();

  // What it is at: "the TLS handshake with https://vault:8200".
  const std::string& step() const { return step_; }

  // After success: the connection, and the address that worked, in front of the others.
  boost::asio::ip::tcp::socket TakeSocket() { return std::move(socket_); }
  std::unique_ptr<Stream> TakeStream() { return std::move(stream_); }
  bool http2() const { return http2_; }
  Addresses TakeAddresses() { return std::move(addresses_); }

 private:
  boost::asio::awaitable<Status> FindAddresses();
  boost::asio::awaitable<Status> ConnectToAny();
  boost::asio::awaitable<Status> ConnectTo(boost::asio::ip::tcp::endpoint address);
  boost::asio::awaitable<Status> OpenTunnel();
  boost::asio::awaitable<Status> ShakeHands();
  // Waits until the socket is ready for what `want` says. False: cancelled, or out of time.
  boost::asio::awaitable<bool> WaitFor(IoResult want);

  // A time limit for what follows; the next call replaces it.
  void StartStep(std::string step, Milliseconds limit);
  void EndStep();
  // What an interrupted step came to: cancelled or out of time.
  Status Interrupted() const;
  void CloseAll();
  const Endpoint& peer() const;

  const ConnectionSettings& settings_;
  const Origin& origin_;
  const std::shared_ptr<const TlsContext> tls_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  std::unique_ptr<Lookup> lookup_;
  boost::asio::posix::stream_descriptor lookup_ready_;
  std::unique_ptr<Stream> stream_;
  Addresses addresses_;
  std::string step_;
  Milliseconds limit_{0};
  uint64_t step_number_ = 0;
  bool out_of_time_ = false;
  bool cancelled_ = false;
  bool http2_ = false;
};

}  // namespace vaultcore::net

#endif  // VAULTCORE_NET_DIAL_H_
