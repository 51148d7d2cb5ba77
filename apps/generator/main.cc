#include <unistd.h>

#include <string>
#include <variant>
#include <vector>

#include "common/ui.h"
#include "generator/cli.h"
#include "generator/run.h"
#include "vaultcore/base/secret.h"

int main(int argc, char** argv) {
  vaultcore::DisableCoreDumps();
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  const auto parsed = generator::ParseCommandLine(arguments);
  if (!parsed.ok()) {
    apps::PrintError(generator::kProgram, parsed.status());
    return static_cast<int>(vaultcore::ExitCodeFor(parsed.status()));
  }
  if (const auto* information = std::get_if<generator::Information>(&*parsed)) {
    const vaultcore::Status printed =
        apps::WriteAll(STDOUT_FILENO, information->text, "standard output");
    return static_cast<int>(vaultcore::ExitCodeFor(printed));
  }
  return static_cast<int>(generator::Run(std::get<generator::Options>(*parsed),
                                         apps::ProcessEnvironment(), apps::CancelOnSignals()));
}
