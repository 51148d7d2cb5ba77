// One line on the terminal that says what is being done, replaced as the work goes on and gone when
// it is done.
//
// Nothing is written unless standard error is a terminal that can rewrite a line. Not thread-safe.

#ifndef APPS_COMMON_PROGRESS_H_
#define APPS_COMMON_PROGRESS_H_

#include <functional>
#include <string>
#include <string_view>

#include "vaultcore/config/environment.h"

namespace apps {

// What standard error can show.
struct Terminal {
  bool rewritable = false;  // a terminal, and TERM is neither "dumb" nor unset
  bool color = false;       // rewritable, and NO_COLOR is not set (no-color.org)
  int columns = 80;
};

// Of the descriptor: isatty, TERM, NO_COLOR, and the window's width (COLUMNS where the terminal
// does not tell).
Terminal DetectTerminal(int fd, const vaultcore::EnvironmentLookup& environment);

// `text` cut to fit `columns` terminal cells, with "..." at the end when it was cut. Counts UTF-8
// characters.
std::string FitColumns(std::string_view text, int columns);

class Progress {
 public:
  using Sink = std::function<void(std::string_view)>;

  // Writes through `sink`; silent when `terminal` cannot rewrite lines or `quiet`.
  Progress(Terminal terminal, bool quiet, Sink sink);
  // Clears the line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  bool active() const { return active_; }
  // Shows `text` in place of what was there.
  void Show(std::string_view text);
  // "uploading [#####     ] 12/24 entries".
  void ShowCount(std::string_view what, size_t done, size_t total, std::string_view unit);
  // Empties the line, so that other output can follow.
  void Clear();

 private:
  const Terminal terminal_;
  const bool active_;
  const Sink sink_;
  std::string shown_;
};

// Writes to standard error; failures are ignored.
Progress::Sink StandardErrorSink();

}  // namespace apps

#endif  // APPS_COMMON_PROGRESS_H_
