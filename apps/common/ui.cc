#include "common/ui.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "vaultcore/base/file.h"

namespace apps {
namespace {

using vaultcore::Cancellation;
using vaultcore::Status;

// The handler can reach nothing but globals. The shared_ptr is never destroyed: a late signal must
// not find a dead switch.
std::shared_ptr<Cancellation>* g_on_signal = nullptr;
Cancellation* g_switch = nullptr;

extern "C" void OnSignal(int signal_number) {
  const int saved_errno = errno;
  if (g_switch->cancelled()) {
    ::signal(signal_number, SIG_DFL);
    ::raise(signal_number);
  }
  g_switch->Cancel();
  errno = saved_errno;
}

}  // namespace

std::string FormatError(std::string_view program, const Status& status) {
  std::string text;
  text.append(program).append(": ").append(vaultcore::MessageOf(status)).append("\n");
  if (const std::string hint = vaultcore::HintOf(status); !hint.empty()) {
    text.append(program).append(": hint: ").append(hint).append("\n");
  }
  return text;
}

void PrintError(std::string_view program, const Status& status) {
  // There is nowhere left to complain to when standard error itself is closed.
  (void)WriteAll(STDERR_FILENO, FormatError(program, status), "standard error");
}

std::string_view Version() { return VAULTCORE_VERSION; }

vaultcore::EnvironmentLookup ProcessEnvironment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

std::shared_ptr<Cancellation> CancelOnSignals() {
  if (g_on_signal == nullptr) {
    g_on_signal = new std::shared_ptr<Cancellation>(std::make_shared<Cancellation>());
    g_switch = g_on_signal->get();
  }
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, nullptr);
  return *g_on_signal;
}

Status WriteAll(int fd, std::string_view text, std::string_view what) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return vaultcore::ErrnoError(errno, "write", what);
    }
    text.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

}  // namespace apps
