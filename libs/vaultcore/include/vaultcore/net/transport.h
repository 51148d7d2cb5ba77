// Transport: exchanges one request for one answer. The only part of the library that does network
// I/O.
//
// An HTTP 404 is a successful exchange: what it means is decided elsewhere (api/errors.h). Errors
// are kUnavailable (DNS, connect, reset, truncated, a step or an exchange over its own limit), kTls
// (also plain HTTP where TLS is spoken, and the other way round), kTimeout (the caller's deadline),
// kCancelled, kProtocol (not HTTP, or larger than the limit), kAuth and kRejected (a proxy's
// refusal), each naming the address and the step.
//
// All functions must be called, and all coroutines run, on the executor the transport was made
// with; one thread at a time. Several RoundTrips may be under way at once.

#ifndef VAULTCORE_NET_TRANSPORT_H_
#define VAULTCORE_NET_TRANSPORT_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>

#include "vaultcore/api/http.h"
#include "vaultcore/base/clock.h"
#include "vaultcore/base/status.h"
#include "vaultcore/model/connection.h"

namespace vaultcore {

struct Exchange {
  StatusOr<HttpResponse> result = absl::UnknownError("not exchanged");
  // False when the server cannot have seen the request: retrying is then safe for any method.
  bool request_sent = false;
};

class Transport {
 public:
  virtual ~Transport() = default;

  // Sends `request` (kept alive by the caller until the end) and returns the answer, at the latest
  // at `deadline`. The token, namespace and "X-Vault-Request" headers are already in the request.
  virtual boost::asio::awaitable<Exchange> RoundTrip(const HttpRequest& request,
                                                     Deadline deadline) = 0;

  // Hints that about `requests` will come at once, soon: dials connections while the caller does
  // something else.
  virtual void Prepare(int requests) = 0;

  // Ends everything under way with kCancelled and closes the connections. Further RoundTrips fail
  // with kCancelled.
  virtual void Cancel() = 0;
};

// HTTP/1.1 with keep-alive over a bounded pool, and HTTP/2 where TLS's ALPN offers it. The TLS
// context is made once, only for https. Errors: kUsage (unreadable or invalid CA, certificate or
// key files, named).
StatusOr<std::unique_ptr<Transport>> MakeHttpTransport(boost::asio::any_io_executor executor,
                                                       ConnectionSettings settings);

}  // namespace vaultcore

#endif  // VAULTCORE_NET_TRANSPORT_H_
