#include "client/concurrently.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <memory>
#include <utility>

namespace vaultcore::internal {
namespace asio = boost::asio;
namespace {

using Job = std::function<asio::awaitable<void>(size_t)>;

struct Group {
  Group(asio::any_io_executor executor, size_t count_in, size_t workers)
      : all_done(std::move(executor), asio::steady_timer::time_point::max()),
        count(count_in),
        running(workers) {}

  asio::steady_timer all_done;  // cancelled when the last worker ends
  size_t next = 0;
  size_t count;
  size_t running;
  std::exception_ptr failure;
};

asio::awaitable<void> Worker(std::shared_ptr<Group> group, const Job* job) {
  while (group->next < group->count && !group->failure) {
    size_t index = group->next++;
    co_await (*job)(index);
  }
}

}  // namespace

asio::awaitable<void> ForEachConcurrently(asio::any_io_executor executor, size_t count,
                                          size_t concurrency, const Job& job) {
  if (count == 0) co_return;
  size_t workers = std::clamp<size_t>(concurrency, 1, count);
  auto group = std::make_shared<Group>(executor, count, workers);
  for (size_t i = 0; i < workers; ++i) {
    asio::co_spawn(executor, Worker(group, &job), [group](std::exception_ptr failure) {
      if (failure && !group->failure) group->failure = failure;
      if (--group->running == 0) group->all_done.cancel();
    });
  }
  // The workers may all have ended before this wait begins (they never do on a real executor, which
  // queues them).
  while (group->running > 0) {
    co_await group->all_done.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (group->failure) std::rethrow_exception(group->failure);
}

}  // namespace vaultcore::internal
