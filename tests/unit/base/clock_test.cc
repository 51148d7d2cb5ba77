#include "vaultcore/base/clock.h"

#include <gtest/gtest.h>

#include <set>

namespace vaultcore {
namespace {

using std::chrono::milliseconds;

TEST(ClockTest, TimeLeftIsNeverNegative) {
  const SteadyTime now = SteadyTime() + std::chrono::hours(1);
  EXPECT_EQ(TimeLeft(now + milliseconds(1500), now), milliseconds(1500));
  EXPECT_EQ(TimeLeft(now, now), milliseconds(0));
  EXPECT_EQ(TimeLeft(now - milliseconds(1), now), milliseconds(0));
  EXPECT_EQ(TimeLeft(SteadyTime::min(), now), milliseconds(0));
  EXPECT_EQ(TimeLeft(kNoDeadline, now), milliseconds::max());
}

TEST(ClockTest, SystemJitterIsInRangeAndVaries) {
  const Jitter jitter = SystemJitter();
  std::set<double> seen;
  for (int i = 0; i < 1000; ++i) {
    const double value = jitter();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    seen.insert(value);
  }
  EXPECT_GT(seen.size(), 990u);
  EXPECT_LT(*seen.begin(), 0.1);
  EXPECT_GT(*seen.rbegin(), 0.9);
}

}  // namespace
}  // namespace vaultcore
