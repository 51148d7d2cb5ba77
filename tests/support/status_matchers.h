// Matchers for Status and StatusOr.
//
//   EXPECT_THAT(status, IsOk());
//   EXPECT_THAT(read, IsOkAndHolds(Field(&KvEntry::version, 3)));
//   EXPECT_THAT(read, StatusIs(ErrorKind::kPermission));
//   EXPECT_THAT(read, StatusIs(ErrorKind::kPermission, HasSubstr("secret/data/x")));

#ifndef VAULTCORE_TESTS_SUPPORT_STATUS_MATCHERS_H_
#define VAULTCORE_TESTS_SUPPORT_STATUS_MATCHERS_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <type_traits>

#include "vaultcore/base/status.h"

namespace vaultcore {

inline void PrintTo(ErrorKind kind, std::ostream* out) {
  static constexpr const char* kNames[] = {"kUsage",    "kAuth",     "kPermission",  "kNotFound",
                                           "kConflict", "kRejected", "kRateLimited", "kUnavailable",
                                           "kTls",      "kTimeout",  "kCancelled",   "kProtocol",
                                           "kIo",       "kInternal"};
  *out << kNames[static_cast<int>(kind)];
}

namespace testing_support {

inline const Status& StatusOf(const Status& status) { return status; }
template <typename T>
const Status& StatusOf(const StatusOr<T>& result) {
  return result.status();
}

// "kNotFound: message (hint: ...)": what a failed expectation shows. A value is never shown.
inline void Explain(const Status& status, std::ostream* out) {
  if (out == nullptr) return;  // nobody listens
  if (status.ok()) {
    *out << "which is OK";
    return;
  }
  *out << "which is ";
  PrintTo(KindOf(status), out);
  *out << ": " << MessageOf(status);
  if (std::string hint = HintOf(status); !hint.empty()) *out << " (hint: " << hint << ")";
}

}  // namespace testing_support

MATCHER(IsOk, negation ? "is an error" : "is OK") {
  testing_support::Explain(testing_support::StatusOf(arg), result_listener->stream());
  return testing_support::StatusOf(arg).ok();
}

MATCHER_P(StatusIs, kind, "has the kind " + testing::PrintToString(kind)) {
  const Status& status = testing_support::StatusOf(arg);
  testing_support::Explain(status, result_listener->stream());
  return !status.ok() && KindOf(status) == kind;
}

MATCHER_P2(StatusIs, kind, message,
           "has the kind " + testing::PrintToString(kind) + " and a message that " +
               testing::DescribeMatcher<std::string>(message)) {
  const Status& status = testing_support::StatusOf(arg);
  testing_support::Explain(status, result_listener->stream());
  return !status.ok() && KindOf(status) == kind &&
         testing::Matches(message)(std::string(MessageOf(status)));
}

MATCHER_P(HintIs, hint, "has a hint that " + testing::DescribeMatcher<std::string>(hint)) {
  const Status& status = testing_support::StatusOf(arg);
  testing_support::Explain(status, result_listener->stream());
  return !status.ok() && testing::Matches(hint)(HintOf(status));
}

MATCHER_P(IsOkAndHolds, value, "is OK and holds a value that matches") {
  using Value = typename std::decay_t<arg_type>::value_type;
  testing_support::Explain(arg.status(), result_listener->stream());
  if (!arg.ok()) return false;
  return testing::ExplainMatchResult(testing::SafeMatcherCast<const Value&>(value), *arg,
                                     result_listener);
}

}  // namespace vaultcore

#endif  // VAULTCORE_TESTS_SUPPORT_STATUS_MATCHERS_H_
