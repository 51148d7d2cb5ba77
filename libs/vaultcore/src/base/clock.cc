#include "vaultcore/base/clock.h"

#include <cstdint>
#include <random>

namespace vaultcore {

Milliseconds TimeLeft(Deadline deadline, SteadyTime now) {
  if (deadline == kNoDeadline) return Milliseconds::max();
  if (deadline <= now) return Milliseconds::zero();
  return std::chrono::duration_cast<Milliseconds>(deadline - now);
}

Jitter SystemJitter() {
  return [] {
    std::random_device device;
    const uint64_t bits = (static_cast<uint64_t>(device()) << 32) | device();
    // A double holds 53 bits exactly; dividing more of them could round up to 1.
    return static_cast<double>(bits >> 11) * 0x1.0p-53;
  };
}

}  // namespace vaultcore
