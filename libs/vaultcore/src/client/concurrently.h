// Bounded concurrency on one executor: workers that share an index.

#ifndef VAULTCORE_SRC_CLIENT_CONCURRENTLY_H_
#define VAULTCORE_SRC_CLIENT_CONCURRENTLY_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <functional>

namespace vaultcore::internal {

// Runs job(0) ... job(count - 1), at most `concurrency` at once, and returns when all have ended.
// `job` is kept alive by the caller.
boost::asio::awaitable<void> ForEachConcurrently(
    boost::asio::any_io_executor executor, size_t count, size_t concurrency,
    const std::function<boost::asio::awaitable<void>(size_t)>& job);

}  // namespace vaultcore::internal

#endif  // VAULTCORE_SRC_CLIENT_CONCURRENTLY_H_
