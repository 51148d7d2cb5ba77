// Runs one coroutine to its end, on an executor of its own or on a given io_context.

#ifndef VAULTCORE_TESTS_SUPPORT_RUN_SYNC_H_
#define VAULTCORE_TESTS_SUPPORT_RUN_SYNC_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace vaultcore {

// Runs `context` until `work` has ended, and returns what it returned; other work on the context
// runs meanwhile. Throws what `work` threw, and std::logic_error when the context ran dry first: a
// coroutine that waits for something that cannot happen any more.
template <typename T>
T RunSync(boost::asio::io_context& context, boost::asio::awaitable<T> work) {
  std::exception_ptr thrown;
  std::optional<T> result;
  bool ended = false;
  boost::asio::co_spawn(context, std::move(work), [&](std::exception_ptr exception, T value) {
    thrown = exception;
    ended = true;
    if (!exception) result.emplace(std::move(value));
  });
  context.restart();
  while (!ended && context.run_one() > 0) {
  }
  if (thrown) std::rethrow_exception(thrown);
  if (!ended) throw std::logic_error("RunSync: the coroutine waits for something that never comes");
  return *std::move(result);
}

inline void RunSync(boost::asio::io_context& context, boost::asio::awaitable<void> work) {
  std::exception_ptr thrown;
  bool ended = false;
  boost::asio::co_spawn(context, std::move(work), [&](std::exception_ptr exception) {
    thrown = exception;
    ended = true;
  });
  context.restart();
  while (!ended && context.run_one() > 0) {
  }
  if (thrown) std::rethrow_exception(thrown);
  if (!ended) throw std::logic_error("RunSync: the coroutine waits for something that never comes");
}

// The same for a coroutine that needs no executor in particular.
template <typename T>
T RunSync(boost::asio::awaitable<T> work) {
  boost::asio::io_context context(1);
  return RunSync(context, std::move(work));
}

}  // namespace vaultcore

#endif  // VAULTCORE_TESTS_SUPPORT_RUN_SYNC_H_
