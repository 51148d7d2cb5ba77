// How both programs talk to people, in one place. The rules:
//   standard output carries results; everything else goes to standard error;
//   errors are one line, "program: message", lower case, no final period, then one line "program:
//   hint: ..."; nothing printed here ever holds a secret, which the caller answers for.

#ifndef APPS_COMMON_UI_H_
#define APPS_COMMON_UI_H_

#include <memory>
#include <string>
#include <string_view>

#include "vaultcore/base/cancel.h"
#include "vaultcore/base/status.h"
#include "vaultcore/config/environment.h"

namespace apps {

// "program: message\nprogram: hint: ...\n"; the second line only if there is a hint.
std::string FormatError(std::string_view program, const vaultcore::Status& status);
// The same, to standard error in one write.
void PrintError(std::string_view program, const vaultcore::Status& status);

// The version of this build, "0.1.0".
std::string_view Version();

// The process's own environment. A variable that is set but empty is an empty string.
vaultcore::EnvironmentLookup ProcessEnvironment();

// A switch that SIGINT and SIGTERM throw; a second signal ends the process at once with the
// signal's own status. SIGPIPE is ignored from now on, so that a closed pipe is an error of
// write(). Call once.
std::shared_ptr<vaultcore::Cancellation> CancelOnSignals();

// Writes all of `text` to the descriptor, whatever its size. Errors: kIo ("write standard output:
// ...").
vaultcore::Status WriteAll(int fd, std::string_view text, std::string_view what);

}  // namespace apps

#endif  // APPS_COMMON_UI_H_
