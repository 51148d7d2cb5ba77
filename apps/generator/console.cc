#include "generator/console.h"

#include <unistd.h>

#include <string>

#include "common/ui.h"

namespace generator {

Console::Console(const Options& options, const vaultcore::EnvironmentLookup& environment)
    : quiet_(options.quiet),
      verbose_(options.verbose),
      progress_(apps::DetectTerminal(STDERR_FILENO, environment), options.quiet,
                apps::StandardErrorSink()) {}

void Console::Line(std::string_view text) {
  progress_.Clear();
  apps::StandardErrorSink()(std::string(kProgram) + ": " + std::string(text) + "\n");
}

void Console::Note(std::string_view text) {
  if (!quiet_) Line("note: " + vaultcore::Printable(text, 600));
}

void Console::Request(const vaultcore::RequestEvent& event) {
  if (quiet_) return;
  const std::string outcome = event.http_status.has_value()
                                  ? std::to_string(*event.http_status)
                                  : vaultcore::Printable(event.error, 200);
  std::string text =
      std::string(vaultcore::MethodName(event.method)) + " " + event.api_path + ": " + outcome;
  if (event.retry_in.has_value()) {
    text += "; again in " + std::to_string(event.retry_in->count()) + " ms";
  }
  if (verbose_) {
    Line(text + " (" + std::to_string(event.duration.count()) + " ms)");
  } else if (event.retry_in.has_value()) {
    progress_.Show(text);
  }
}

}  // namespace generator
