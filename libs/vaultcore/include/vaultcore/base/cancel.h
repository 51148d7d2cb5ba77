// Cancellation: one switch that ends work under way, thrown from another thread or from a signal
// handler.

#ifndef VAULTCORE_BASE_CANCEL_H_
#define VAULTCORE_BASE_CANCEL_H_

#include <atomic>

namespace vaultcore {

// Shared by who may cancel and who can be cancelled (as std::shared_ptr). Once cancelled it stays
// so.
class Cancellation {
 public:
  Cancellation();
  ~Cancellation();
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  // Any thread, and async-signal-safe.
  void Cancel() noexcept;
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_acquire); }
  // A descriptor that becomes readable, and stays so, on Cancel(): for poll() and event loops. -1
  // when the system has no descriptor to give.
  int wait_fd() const noexcept { return fds_[0]; }

 private:
  std::atomic<bool> cancelled_{false};
  int fds_[2] = {-1, -1};
};

}  // namespace vaultcore

#endif  // VAULTCORE_BASE_CANCEL_H_
