// AsyncClient: the client for programs that have an io_context. Same operations and contracts as
// Client (client/client.h), as coroutines.
//
// All functions must be called, and all coroutines run, on the executor given; several operations
// may be under way at once. The object must outlive its operations.

#ifndef VAULTCORE_CLIENT_ASYNC_CLIENT_H_
#define VAULTCORE_CLIENT_ASYNC_CLIENT_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vaultcore/client/client.h"
#include "vaultcore/net/transport.h"

namespace vaultcore {

class AsyncClient {
 public:
  // Makes transports for redirects to another port of the same host; MakeHttpTransport in programs,
  // a fake in tests.
  using TransportFactory = std::function<StatusOr<std::unique_ptr<Transport>>(
      boost::asio::any_io_executor, ConnectionSettings)>;
  // Waits; tests pass one that records.
  using Sleeper = std::function<boost::asio::awaitable<void>(Milliseconds)>;

  AsyncClient(boost::asio::any_io_executor executor, ClientOptions options,
              std::unique_ptr<AuthMethod> auth, TransportFactory make_transport = MakeHttpTransport,
              Sleeper sleeper = {});
  ~AsyncClient();
  AsyncClient(AsyncClient&&) noexcept;
  AsyncClient& operator=(AsyncClient&&) noexcept;

  // Must have succeeded before anything else is called.
  boost::asio::awaitable<Status> Connect();

  boost::asio::awaitable<StatusOr<KvMount>> ResolveKvMount(Mount mount,
                                                           std::optional<SecretPath> probe = {});
  boost::asio::awaitable<StatusOr<KvEntry>> Read(SecretRef ref);
  boost::asio::awaitable<std::vector<StatusOr<KvEntry>>> ReadMany(std::vector<SecretRef> refs);
  boost::asio::awaitable<StatusOr<uint64_t>> Write(const KvWrite& write);
  boost::asio::awaitable<std::vector<StatusOr<uint64_t>>> WriteMany(
      const std::vector<KvWrite>& writes,
      std::function<void(size_t, const StatusOr<uint64_t>&)> on_done = {});
  boost::asio::awaitable<Status> WriteCustomMetadata(
      SecretRef ref, std::map<std::string, std::string> custom_metadata);
  boost::asio::awaitable<StatusOr<std::optional<KvEntryMetadata>>> ReadMetadata(SecretRef ref);
  boost::asio::awaitable<StatusOr<std::vector<std::string>>> List(SecretRef folder);
  boost::asio::awaitable<StatusOr<DatabaseCredentials>> ReadDatabaseCredentials(Mount mount,
                                                                                std::string role);
  boost::asio::awaitable<StatusOr<std::vector<std::vector<std::string>>>> Capabilities(
      std::vector<std::string> api_paths);
  boost::asio::awaitable<StatusOr<AuthToken>> LookupSelf();
  boost::asio::awaitable<StatusOr<HttpResponse>> Send(HttpRequest request);
  boost::asio::awaitable<std::vector<StatusOr<HttpResponse>>> SendMany(
      std::vector<HttpRequest> requests);
  boost::asio::awaitable<Status> Logout();

  void Prepare(int requests);
  void Cancel();
  const AuthToken& token() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vaultcore

#endif  // VAULTCORE_CLIENT_ASYNC_CLIENT_H_
