// Child processes: started without a shell, in a process group of their own, with an environment
// that is given and not inherited, and always reaped.
//
// POSIX only; the one place in the programs that starts anything.

#ifndef APPS_COMMON_PROCESS_H_
#define APPS_COMMON_PROCESS_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "vaultcore/base/cancel.h"
#include "vaultcore/base/clock.h"
#include "vaultcore/base/secret.h"
#include "vaultcore/base/status.h"
#include "vaultcore/config/environment.h"

namespace apps {

struct ProcessSpec {
  std::vector<std::string> argv;         // argv[0]: the program's path, not searched for
  std::vector<std::string> environment;  // "NAME=value"; all the child gets
  size_t max_output_bytes = 256u << 20;  // of standard output: more ends the child, kRejected
  size_t max_error_bytes = 1u << 20;     // of standard error: what is beyond is dropped
  size_t max_resident_bytes = 0;         // more ends the child, kRejected; 0: no limit (Linux only)
};

struct ProcessResult {
  int exit_code = 0;  // 128 + number for a signal, as shells count
  vaultcore::Secret standard_output;
  vaultcore::Secret standard_error;
};

struct RunOptions {
  vaultcore::Deadline deadline = vaultcore::kNoDeadline;
  const vaultcore::Cancellation* cancellation = nullptr;  // may be null
  std::function<void(size_t ended)> on_tick;              // several times a second; may be empty
};

// Runs all children at the same time, standard input empty, and waits for all of them; results in
// input order. Blocking. An exit code other than 0 is a result, not an error. Errors: kNotFound or
// kIo (cannot be started), kRejected (a limit), kTimeout, kCancelled; every child, with what it
// started in its group, has been killed and reaped when one of them is returned.
vaultcore::StatusOr<std::vector<ProcessResult>> RunProcesses(const std::vector<ProcessSpec>& specs,
                                                             const RunOptions& options);

// The absolute path of `program`: itself if it holds a slash, else the first executable file of
// that name in PATH. Errors: kNotFound.
vaultcore::StatusOr<std::string> FindProgram(std::string_view program,
                                             const vaultcore::EnvironmentLookup& environment);

// This process's environment as "NAME=value", without the variables that `drop` is true for.
std::vector<std::string> FilteredEnvironment(const std::function<bool(std::string_view)>& drop);

}  // namespace apps

#endif  // APPS_COMMON_PROCESS_H_
