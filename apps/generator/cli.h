// The command line: from argv to Options. The only part that knows the command line library.

#ifndef APPS_GENERATOR_CLI_H_
#define APPS_GENERATOR_CLI_H_

#include <string>
#include <variant>
#include <vector>

#include "generator/options.h"
#include "vaultcore/base/status.h"

namespace generator {

// Text that was asked for: --help or --version.
struct Information {
  std::string text;
};

// `arguments` without the program's name. Options may stand before, between and after the
// positional arguments. Errors: kUsage, with the near miss or where to look. Arguments that are not
// options are never repeated in messages, because a mistyped line may hold a secret.
vaultcore::StatusOr<std::variant<Options, Information>> ParseCommandLine(
    const std::vector<std::string>& arguments);

}  // namespace generator

#endif  // APPS_GENERATOR_CLI_H_
