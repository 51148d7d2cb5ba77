// Time and chance under the test's control.

#ifndef VAULTCORE_TESTS_SUPPORT_MANUAL_TIME_H_
#define VAULTCORE_TESTS_SUPPORT_MANUAL_TIME_H_

#include <boost/asio/awaitable.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "vaultcore/base/clock.h"

namespace vaultcore {

// A clock that stands still until it is told otherwise. Copies share the same time.
class ManualClock {
 public:
  explicit ManualClock(SteadyTime start = SteadyTime(std::chrono::hours(1)))
      : now_(std::make_shared<SteadyTime>(start)) {}
  SteadyTime now() const { return *now_; }
  void Advance(Milliseconds by) { *now_ += by; }
  std::function<SteadyTime()> AsFunction() const {
    return [now = now_] { return *now; };
  }

 private:
  std::shared_ptr<SteadyTime> now_;
};

// Waits that are recorded and take no time. Copies share the same record.
class RecordingSleeper {
 public:
  RecordingSleeper() : waits_(std::make_shared<std::vector<Milliseconds>>()) {}
  const std::vector<Milliseconds>& waits() const { return *waits_; }

  // The function to inject. With a clock, each wait also advances it.
  std::function<boost::asio::awaitable<void>(Milliseconds)> AsFunction() const {
    return [waits = waits_](Milliseconds wait) { return Record(waits, wait); };
  }
  std::function<boost::asio::awaitable<void>(Milliseconds)> AsFunction(ManualClock clock) const {
    return [waits = waits_, clock](Milliseconds wait) mutable {
      clock.Advance(wait);
      return Record(waits, wait);
    };
  }

 private:
  static boost::asio::awaitable<void> Record(std::shared_ptr<std::vector<Milliseconds>> waits,
                                             Milliseconds wait) {
    waits->push_back(wait);
    co_return;
  }

  std::shared_ptr<std::vector<Milliseconds>> waits_;
};

// Jitter that gives these values in turn, and the last one for ever.
inline Jitter FixedJitter(std::deque<double> values = {0.0}) {
  return [values = std::move(values)]() mutable {
    const double value = values.front();
    if (values.size() > 1) values.pop_front();
    return value;
  };
}

}  // namespace vaultcore

#endif  // VAULTCORE_TESTS_SUPPORT_MANUAL_TIME_H_
