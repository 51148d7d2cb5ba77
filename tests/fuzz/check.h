// What a fuzz target asserts: also in builds without assertions.

#ifndef VAULTCORE_TESTS_FUZZ_CHECK_H_
#define VAULTCORE_TESTS_FUZZ_CHECK_H_

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "vaultcore/base/status.h"

namespace vaultcore {

inline void Check(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "violated: %s\n", what);
  std::abort();
}

// An error is one line, of a bounded length.
inline void CheckError(const Status& status) {
  if (status.ok()) return;
  Check(!status.message().empty() && status.message().size() < 1000, "a message of sane length");
  for (const char c : MessageOf(status)) {
    Check(static_cast<unsigned char>(c) >= 0x20, "no control characters in a message");
  }
}

}  // namespace vaultcore

#endif  // VAULTCORE_TESTS_FUZZ_CHECK_H_
