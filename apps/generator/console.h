// Standard error during a run: the progress line, and lines that must not collide with it.

#ifndef APPS_GENERATOR_CONSOLE_H_
#define APPS_GENERATOR_CONSOLE_H_

#include <string_view>

#include "common/progress.h"
#include "generator/options.h"
#include "vaultcore/client/client.h"

namespace generator {

class Console {
 public:
  Console(const Options& options, const vaultcore::EnvironmentLookup& environment);

  apps::Progress& progress() { return progress_; }
  // "vaultSecretGenerator: note: ..."; nothing with --quiet.
  void Note(std::string_view text);
  // A request with --verbose; without, a word when one has to be repeated.
  void Request(const vaultcore::RequestEvent& event);

 private:
  void Line(std::string_view text);

  const bool quiet_;
  const bool verbose_;
  apps::Progress progress_;
};

}  // namespace generator

#endif  // APPS_GENERATOR_CONSOLE_H_
