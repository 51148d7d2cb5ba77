#include "vaultcore/base/cancel.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>

#include <cerrno>
#include <thread>

namespace vaultcore {
namespace {

bool IsReadable(int fd) {
  pollfd poll_fd = {fd, POLLIN, 0};
  return poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLIN) != 0;
}

TEST(CancellationTest, StaysCancelledAndReadable) {
  Cancellation cancellation;
  EXPECT_FALSE(cancellation.cancelled());
  ASSERT_GE(cancellation.wait_fd(), 0);
  EXPECT_FALSE(IsReadable(cancellation.wait_fd()));
  for (int i = 0; i < 3; ++i) {
    errno = EDOM;
    cancellation.Cancel();
    EXPECT_EQ(errno, EDOM);
    EXPECT_TRUE(cancellation.cancelled());
    EXPECT_TRUE(IsReadable(cancellation.wait_fd()));
  }
}

TEST(CancellationTest, WakesAnotherThread) {
  Cancellation cancellation;
  std::thread waiter([&cancellation] {
    pollfd poll_fd = {cancellation.wait_fd(), POLLIN, 0};
    EXPECT_EQ(poll(&poll_fd, 1, 10'000), 1);
  });
  cancellation.Cancel();
  waiter.join();
}

Cancellation* signalled = nullptr;

TEST(CancellationTest, WorksInASignalHandler) {
  Cancellation cancellation;
  signalled = &cancellation;
  struct sigaction action = {};
  action.sa_handler = [](int) { signalled->Cancel(); };
  struct sigaction before = {};
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
  raise(SIGUSR1);
  sigaction(SIGUSR1, &before, nullptr);
  EXPECT_TRUE(cancellation.cancelled());
  EXPECT_TRUE(IsReadable(cancellation.wait_fd()));
}

}  // namespace
}  // namespace vaultcore
