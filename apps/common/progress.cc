#include "common/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "common/ui.h"

namespace apps {
namespace {

constexpr std::string_view kEraseLine = "\r\x1b[K";
constexpr int kBarCells = 20;

bool StartsCharacter(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

}  // namespace

Terminal DetectTerminal(int fd, const vaultcore::EnvironmentLookup& environment) {
  Terminal terminal;
  const std::string term = environment("TERM").value_or("");
  terminal.rewritable = ::isatty(fd) == 1 && !term.empty() && term != "dumb";
  terminal.color = terminal.rewritable && environment("NO_COLOR").value_or("").empty();
  winsize window = {};
  if (::ioctl(fd, TIOCGWINSZ, &window) == 0 && window.ws_col > 0) {
    terminal.columns = window.ws_col;
  } else if (const std::string text = environment("COLUMNS").value_or(""); !text.empty()) {
    int columns = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), columns);
    if (error == std::errc() && end == text.data() + text.size() && columns > 0) {
      terminal.columns = columns;
    }
  }
  return terminal;
}

std::string FitColumns(std::string_view text, int columns) {
  const size_t limit = columns > 0 ? static_cast<size_t>(columns) : 0;
  constexpr std::string_view kCut = "...";
  size_t cells = 0;
  size_t keep = 0;  // bytes that leave room for kCut
  for (size_t i = 0; i < text.size(); ++i) {
    if (!StartsCharacter(text[i])) continue;
    if (cells + kCut.size() <= limit) keep = i;
    if (++cells > limit) {
      return std::string(text.substr(0, keep)) + std::string(kCut.substr(0, limit));
    }
  }
  return std::string(text);
}

Progress::Progress(Terminal terminal, bool quiet, Sink sink)
    : terminal_(terminal), active_(terminal.rewritable && !quiet), sink_(std::move(sink)) {}

Progress::~Progress() { Clear(); }

void Progress::Show(std::string_view text) {
  if (!active_) return;
  // The last column stays free: some terminals wrap as soon as it is written.
  std::string line = FitColumns(text, terminal_.columns - 1);
  if (line == shown_) return;
  sink_(std::string(kEraseLine) + line);
  shown_ = std::move(line);
}

void Progress::ShowCount(std::string_view what, size_t done, size_t total, std::string_view unit) {
  if (!active_) return;
  std::string line(what);
  if (terminal_.columns >= 60 && total > 0) {
    const size_t filled = std::min<size_t>(kBarCells, done * kBarCells / total);
    line += " [" + std::string(filled, '#') + std::string(kBarCells - filled, ' ') + "]";
  }
  line += " " + std::to_string(done) + "/" + std::to_string(total) + " " + std::string(unit);
  Show(line);
}

void Progress::Clear() {
  if (shown_.empty()) return;
  sink_(kEraseLine);
  shown_.clear();
}

Progress::Sink StandardErrorSink() {
  // A progress line that cannot be written is not worth an error.
  return [](std::string_view text) { (void)WriteAll(STDERR_FILENO, text, "standard error"); };
}

}  // namespace apps
