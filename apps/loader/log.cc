#include "loader/log.h"

#include <absl/strings/str_cat.h>

namespace loader {

using vaultcore::ToAbsl;

std::string Counted(size_t count, std::string_view noun) {
  return absl::StrCat(count, " ", ToAbsl(noun), count == 1 ? "" : "s");
}

void Log::Info(std::string_view message) const {
  if (level_ == Level::kQuiet) return;
  sink_(absl::StrCat(program_, ": ", ToAbsl(message), "\n"));
}

void Log::Warning(std::string_view message) const {
  sink_(absl::StrCat(program_, ": warning: ", ToAbsl(message), "\n"));
}

void RequestReporter::Observe(const vaultcore::RequestEvent& event) {
  const std::string status =
      event.http_status ? absl::StrCat("HTTP ", *event.http_status) : "no answer";
  if (log_.verbose()) {
    log_.Info(absl::StrCat(ToAbsl(vaultcore::MethodName(event.method)), " ", event.api_path, ": ",
                           status, " in ", event.duration.count(), " ms"));
  }
  if (!event.retry_in) {
    // An error that is not tried again is the end of the run's time, not of Vault's trouble.
    if (event.http_status && *event.http_status < 400 && !waiting_for_.empty()) {
      log_.Info("Vault answers");
      waiting_for_.clear();
    }
    return;
  }
  std::string reason = event.error.empty() ? status : event.error;
  if (reason == waiting_for_) return;
  log_.Info(absl::StrCat("waiting for Vault: ", reason));
  waiting_for_ = std::move(reason);
}

}  // namespace loader
