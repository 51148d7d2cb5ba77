// vault-secret-loader, in its image /opt/harness/secrets-manager: see HelpText in cli.cc.

#include <unistd.h>

#include <exception>
#include <string_view>
#include <vector>

#include "common/ui.h"
#include "loader/cli.h"
#include "loader/run.h"
#include "vaultcore/base/secret.h"

namespace {

int Main(std::string_view program, const std::vector<std::string_view>& arguments) {
  vaultcore::DisableCoreDumps();
  const auto cancellation = apps::CancelOnSignals();
  const vaultcore::EnvironmentLookup environment = apps::ProcessEnvironment();
  const auto options = loader::ParseCommandLine(arguments, environment);
  if (!options.ok()) {
    // Called with nothing at all, the way to go on is the whole help.
    if (arguments.empty()) {
      (void)apps::WriteAll(STDERR_FILENO, loader::HelpText(program), "standard error");
    }
    apps::PrintError(program, options.status());
    return static_cast<int>(vaultcore::ExitCodeFor(options.status()));
  }
  return static_cast<int>(loader::Run(program, *options, environment, cancellation));
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view program = argc > 0 && argv[0] != nullptr ? argv[0] : "vault-secret-loader";
  if (const size_t slash = program.rfind('/'); slash != std::string_view::npos) {
    program.remove_prefix(slash + 1);
  }
  int code = static_cast<int>(vaultcore::ExitCode::kFailed);
  try {
    code = Main(program, {argv + (argc > 0 ? 1 : 0), argv + argc});
  } catch (const std::exception&) {
    // The text of a foreign exception may quote what it choked on.
    apps::PrintError(program, vaultcore::MakeError(vaultcore::ErrorKind::kInternal,
                                                   "out of memory, or a defect of this program"));
  }
  // Everything is written and wiped; what atexit handlers would tidy up, the end of the process
  // does.
  _exit(code);
}
