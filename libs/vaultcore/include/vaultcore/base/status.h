// Errors: what every fallible function of the library returns, and the exit class that a program
// maps it to.
//
// A Status message is one line of our own words: what failed, where. The hint says what to do next.
// Neither ever holds a secret; text that came from a server is cut and stripped of control
// characters before it gets in. Status and StatusOr are immutable values; all functions here are
// pure and thread-safe.

#ifndef VAULTCORE_BASE_STATUS_H_
#define VAULTCORE_BASE_STATUS_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace vaultcore {

using absl::Status;
using absl::StatusOr;

// What went wrong, as a caller would branch on it. Each kind has one absl::StatusCode and one exit
// code.
enum class ErrorKind {
  kUsage,        // the caller's arguments or configuration; exit 2
  kAuth,         // a login was refused, or there is no token; exit 3
  kPermission,   // the token may not do this (HTTP 403); exit 3
  kNotFound,     // the mount, entry or key is not there; exit 4
  kConflict,     // check-and-set lost a race, or two values disagree; exit 1
  kRejected,     // the server understood and refused (HTTP 400, 405); exit 1
  kRateLimited,  // HTTP 429; retried; exit 5
  kUnavailable,  // no answer, 5xx, sealed, standby, 412; retried; exit 5
  kTls,          // certificate or handshake; never retried; exit 5
  kTimeout,      // the deadline has passed; exit 5
  kCancelled,    // Cancel() or a signal; exit 1
  kProtocol,     // an answer that is not what Vault's API says; exit 1
  kIo,           // a local file; exit 1
  kInternal,     // a defect of this program; exit 1
};

// The exit codes of both programs.
enum class ExitCode : int {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,
  kAuth = 3,
  kMissing = 4,
  kUnavailable = 5,
};

// Builds an error. `message` and `hint` hold no secret (the caller's duty); control characters in
// them become spaces.
Status MakeError(ErrorKind kind, std::string_view message, std::string_view hint = {});

// The kind of a non-OK status. Statuses made elsewhere (absl's own constructors) map by code;
// kInternal where none fits.
ErrorKind KindOf(const Status& status);

// What to do next; empty when there is no hint.
std::string HintOf(const Status& status);

// The same error with `hint`, which replaces an earlier one. OK stays OK.
Status WithHint(Status status, std::string_view hint);

// The HTTP status that the error came from, when it came from an answer.
std::optional<int> HttpStatusOf(const Status& status);
Status WithHttpStatus(Status status, int http_status);

// The same error with "`where`: " in front of its message; kind, hint and HTTP status are kept. OK
// stays OK.
Status Annotate(const Status& status, std::string_view where);

// The exit code a program ends with on this status; kOk for OK.
ExitCode ExitCodeFor(const Status& status);

// Text from outside (a server's error, a file's content) made fit for a message: control characters
// become spaces and it is cut at `max_bytes` on a UTF-8 boundary.
std::string Printable(std::string_view text, size_t max_bytes = 300);

// Debian's Abseil has a string_view of its own; these cross the border without a copy.
inline std::string_view ToStd(absl::string_view text) { return {text.data(), text.size()}; }
inline absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view MessageOf(const Status& status) { return ToStd(status.message()); }

}  // namespace vaultcore

#define VC_CONCAT_INNER_(a, b) a##b
#define VC_CONCAT_(a, b) VC_CONCAT_INNER_(a, b)

// Returns from the function when `expr` (a Status) is an error. VC_CO_RETURN_IF_ERROR is the same
// for coroutines.
#define VC_RETURN_IF_ERROR(expr)                                \
  do {                                                          \
    if (::absl::Status vc_status_ = (expr); !vc_status_.ok()) { \
      return vc_status_;                                        \
    }                                                           \
  } while (false)
#define VC_CO_RETURN_IF_ERROR(expr)                             \
  do {                                                          \
    if (::absl::Status vc_status_ = (expr); !vc_status_.ok()) { \
      co_return vc_status_;                                     \
    }                                                           \
  } while (false)

// VC_ASSIGN_OR_RETURN(auto entry, Parse(text)); declares or assigns on success, returns the error
// otherwise.
#define VC_ASSIGN_OR_RETURN_IMPL_(var, decl, expr, ret) \
  auto var = (expr);                                    \
  if (!var.ok()) ret std::move(var).status();           \
  decl = *std::move(var)
#define VC_ASSIGN_OR_RETURN(decl, expr) \
  VC_ASSIGN_OR_RETURN_IMPL_(VC_CONCAT_(vc_result_, __LINE__), decl, expr, return)
#define VC_CO_ASSIGN_OR_RETURN(decl, expr) \
  VC_ASSIGN_OR_RETURN_IMPL_(VC_CONCAT_(vc_result_, __LINE__), decl, expr, co_return)

#endif  // VAULTCORE_BASE_STATUS_H_
