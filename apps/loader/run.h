// The loader's work, from the configuration to the published files.

#ifndef APPS_LOADER_RUN_H_
#define APPS_LOADER_RUN_H_

#include <memory>
#include <string_view>

#include "loader/cli.h"
#include "vaultcore/base/cancel.h"
#include "vaultcore/base/status.h"
#include "vaultcore/config/environment.h"

namespace loader {

// Runs a command to its end, printing what it says; `program` starts each line. When `cancellation`
// is thrown nothing more is published, the own token is revoked, and the result is kFailed. The
// reason of a failure is also left where Kubernetes looks for it (/dev/termination-log).
vaultcore::ExitCode Run(std::string_view program, const Options& options,
                        const vaultcore::EnvironmentLookup& environment,
                        const std::shared_ptr<vaultcore::Cancellation>& cancellation);

}  // namespace loader

#endif  // APPS_LOADER_RUN_H_
