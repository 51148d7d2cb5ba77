// One logical request: headers, retries, one redirect, rate limit, observer, cancellation. The loop
// around the pure decisions of api/retry.h.

#ifndef VAULTCORE_SRC_CLIENT_EXCHANGER_H_
#define VAULTCORE_SRC_CLIENT_EXCHANGER_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <set>

#include "vaultcore/client/async_client.h"

namespace vaultcore::internal {

// What a request came to after all its tries.
struct Exchanged {
  StatusOr<HttpResponse> result = absl::UnknownError("not exchanged");
  // A try before the last one may have been carried out by the server although its answer was lost.
  bool maybe_done_before = false;
  // The same of the last try.
  bool maybe_done = false;
};

class Exchanger {
 public:
  Exchanger(boost::asio::any_io_executor executor, ClientOptions& options,
            AsyncClient::TransportFactory make_transport, AsyncClient::Sleeper sleeper);
  ~Exchanger();

  Status Open();

  // Sends with `token` (may be null: the request brings its own or needs none).
  boost::asio::awaitable<Exchanged> Send(HttpRequest request, const Secret* token);
  // One try on a transport of its own, by `deadline`, also after cancellation: for the last words
  // of a program.
  boost::asio::awaitable<StatusOr<HttpResponse>> SendOnceApart(HttpRequest request,
                                                               const Secret* token,
                                                               Deadline deadline);

  void Prepare(int requests);
  void Cancel();
  bool cancelled() const { return options_.cancellation->cancelled(); }

 private:
  boost::asio::awaitable<Exchange> TryOnce(HttpRequest request);
  boost::asio::awaitable<void> Sleep(Milliseconds wait);
  boost::asio::awaitable<void> WaitForRateLimit();
  Status AddStandardHeaders(HttpRequest& request, const Secret* token) const;
  void WatchCancellation();
  StatusOr<Transport*> TransportFor(const Endpoint& endpoint);
  Status DeadlineError(const HttpRequest& request, const Status* last) const;

  boost::asio::any_io_executor executor_;
  ClientOptions& options_;
  AsyncClient::TransportFactory make_transport_;
  AsyncClient::Sleeper sleeper_;
  std::unique_ptr<Transport> transport_;
  // Where the last redirect led: a standby that does not forward sends every request there.
  std::unique_ptr<Transport> redirected_;
  Endpoint redirected_to_;
  std::set<boost::asio::steady_timer*> sleeping_;
  boost::asio::posix::stream_descriptor cancel_wait_;
  SteadyTime next_slot_{};  // rate limit: when the bucket's next request may go
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vaultcore::internal

#endif  // VAULTCORE_SRC_CLIENT_EXCHANGER_H_
