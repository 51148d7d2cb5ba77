// The loader's command line. It is parsed by hand: three commands and a few options do not pay for
// a parser library, which would be a tenth of the program. Pure.

#ifndef APPS_LOADER_CLI_H_
#define APPS_LOADER_CLI_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vaultcore/base/clock.h"
#include "vaultcore/base/status.h"
#include "vaultcore/config/environment.h"
#include "vaultcore/config/loader_config.h"

namespace loader {

struct Options {
  enum class Command { kLoad, kCheck, kVersion, kHelp };

  Command command = Command::kLoad;
  std::string config_file = "/etc/secrets-loader/config.yaml";
  vaultcore::Milliseconds timeout{300'000};
  std::optional<vaultcore::EnvFormat> format;  // instead of the configuration's
  bool quiet = false;                          // no lines but warnings and errors
  bool verbose = false;                        // a line for each request
};

// Parses what follows the program's name. Options stand before or after the command, as "--name
// value" or "--name=value", and win over SECRETS_LOADER_CONFIG and SECRETS_LOADER_TIMEOUT. Errors:
// kUsage.
vaultcore::StatusOr<Options> ParseCommandLine(const std::vector<std::string_view>& arguments,
                                              const vaultcore::EnvironmentLookup& environment);

// What --help prints; `program` is the name that the user called.
std::string HelpText(std::string_view program);

}  // namespace loader

#endif  // APPS_LOADER_CLI_H_
