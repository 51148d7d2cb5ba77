// What the loader says while it works: one line each, on standard error, "program: ...". Never a
// value.

#ifndef APPS_LOADER_LOG_H_
#define APPS_LOADER_LOG_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "vaultcore/client/client.h"

namespace loader {

// "1 file", "2 files".
std::string Counted(size_t count, std::string_view noun);

class Log {
 public:
  enum class Level { kQuiet, kNormal, kVerbose };
  using Sink = std::function<void(std::string_view)>;

  // Lines go to `sink`, each with its newline, in one call.
  Log(std::string program, Level level, Sink sink)
      : program_(std::move(program)), level_(level), sink_(std::move(sink)) {}

  // Not printed when quiet.
  void Info(std::string_view message) const;
  void Warning(std::string_view message) const;
  bool verbose() const { return level_ == Level::kVerbose; }
  const std::string& program() const { return program_; }

 private:
  std::string program_;
  Level level_;
  Sink sink_;
};

// Turns the client's events into lines: one for each change of state (Vault does not answer, is
// sealed, answers again), not one for each try; and, where the log is verbose, one for each
// request.
class RequestReporter {
 public:
  // `log` must outlive this.
  explicit RequestReporter(const Log& log) : log_(log) {}
  void Observe(const vaultcore::RequestEvent& event);

 private:
  const Log& log_;
  std::string waiting_for_;  // empty: not waiting
};

}  // namespace loader

#endif  // APPS_LOADER_LOG_H_
