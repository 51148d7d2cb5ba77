// The commands, from options to exit code: the thin shell around the pure parts.

#ifndef APPS_GENERATOR_RUN_H_
#define APPS_GENERATOR_RUN_H_

#include <memory>

#include "generator/options.h"
#include "vaultcore/base/cancel.h"
#include "vaultcore/base/status.h"
#include "vaultcore/config/environment.h"

namespace generator {

// Runs `generate` or `plan`. Prints the report to standard output, and notes, progress and errors
// to standard error.
vaultcore::ExitCode Run(const Options& options, const vaultcore::EnvironmentLookup& environment,
                        const std::shared_ptr<vaultcore::Cancellation>& cancellation);

}  // namespace generator

#endif  // APPS_GENERATOR_RUN_H_
