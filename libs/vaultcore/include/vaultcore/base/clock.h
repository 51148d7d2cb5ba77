// Time and chance as parameters, so that tests assert waits without waiting and see the same jitter
// every time.

#ifndef VAULTCORE_BASE_CLOCK_H_
#define VAULTCORE_BASE_CLOCK_H_

#include <chrono>
#include <functional>

namespace vaultcore {

using SteadyTime = std::chrono::steady_clock::time_point;
using Milliseconds = std::chrono::milliseconds;

// A point in time after which work is given up; kNoDeadline never passes.
using Deadline = SteadyTime;
inline constexpr Deadline kNoDeadline = SteadyTime::max();

// The time left until `deadline`, never negative; Milliseconds::max() for kNoDeadline.
Milliseconds TimeLeft(Deadline deadline, SteadyTime now);

// A number in [0, 1); called from one thread at a time.
using Jitter = std::function<double()>;
// Uniform, from the system's generator.
Jitter SystemJitter();

}  // namespace vaultcore

#endif  // VAULTCORE_BASE_CLOCK_H_
