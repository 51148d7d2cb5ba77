// Runs code in a child process, system call by system call, and strikes at a chosen one: kills the
// child before it, or makes it fail. Linux on x86-64.

#ifndef VAULTCORE_TESTS_SUPPORT_SYSCALL_TRACER_H_
#define VAULTCORE_TESTS_SUPPORT_SYSCALL_TRACER_H_

#include <functional>
#include <optional>
#include <set>

namespace vaultcore {

struct Strike {
  // The system call to strike at, counted from 1 among those in `calls`.
  int at = 0;
  // What it fails with; the child is killed where this is empty.
  std::optional<int> error_number;
  // The system calls that count (SYS_...); all where this is empty.
  std::set<long> calls;
};

struct TracedRun {
  bool struck = false;  // false: the child made fewer system calls than that
  long call = -1;       // the system call that was struck
  bool killed = false;
  int exit_code = -1;  // what `body` returned, when the child was not killed
};

// Runs `body` in a child. Throws std::runtime_error when the child cannot be traced.
TracedRun RunTraced(const std::function<int()>& body, const Strike& strike);

}  // namespace vaultcore

#endif  // VAULTCORE_TESTS_SUPPORT_SYSCALL_TRACER_H_
