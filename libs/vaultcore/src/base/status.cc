#include "vaultcore/base/status.h"

#include <absl/strings/cord.h>
#include <absl/strings/numbers.h>

#include <array>
#include <cstddef>

namespace vaultcore {
namespace {

constexpr char kKindPayload[] = "vaultcore/kind";
constexpr char kHintPayload[] = "vaultcore/hint";
constexpr char kHttpPayload[] = "vaultcore/http-status";

struct KindTraits {
  ErrorKind kind;
  absl::StatusCode code;
  ExitCode exit;
};

// In the order of the enumeration. Where two kinds share a code, the first is what a status made
// elsewhere means.
constexpr std::array<KindTraits, 14> kKinds = {{
    {ErrorKind::kUsage, absl::StatusCode::kInvalidArgument, ExitCode::kUsage},
    {ErrorKind::kAuth, absl::StatusCode::kUnauthenticated, ExitCode::kAuth},
    {ErrorKind::kPermission, absl::StatusCode::kPermissionDenied, ExitCode::kAuth},
    {ErrorKind::kNotFound, absl::StatusCode::kNotFound, ExitCode::kMissing},
    {ErrorKind::kConflict, absl::StatusCode::kAborted, ExitCode::kFailed},
    {ErrorKind::kRejected, absl::StatusCode::kFailedPrecondition, ExitCode::kFailed},
    {ErrorKind::kRateLimited, absl::StatusCode::kResourceExhausted, ExitCode::kUnavailable},
    {ErrorKind::kUnavailable, absl::StatusCode::kUnavailable, ExitCode::kUnavailable},
    {ErrorKind::kTls, absl::StatusCode::kFailedPrecondition, ExitCode::kUnavailable},
    {ErrorKind::kTimeout, absl::StatusCode::kDeadlineExceeded, ExitCode::kUnavailable},
    {ErrorKind::kCancelled, absl::StatusCode::kCancelled, ExitCode::kFailed},
    {ErrorKind::kProtocol, absl::StatusCode::kDataLoss, ExitCode::kFailed},
    {ErrorKind::kIo, absl::StatusCode::kUnknown, ExitCode::kFailed},
    {ErrorKind::kInternal, absl::StatusCode::kInternal, ExitCode::kFailed},
}};

const KindTraits& TraitsOf(ErrorKind kind) { return kKinds[static_cast<size_t>(kind)]; }

bool IsContinuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// The C1 controls (U+0080 to U+009F) are two bytes in UTF-8, and terminals obey some of them.
std::string WithoutControls(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7F) {
      out.push_back(' ');
    } else if (byte == 0xC2 && i + 1 < text.size() && IsContinuation(text[i + 1]) &&
               static_cast<unsigned char>(text[i + 1]) < 0xA0) {
      out.push_back(' ');
      ++i;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

// Cord's constructor for std::string&& has another mangled name in clang than in Debian's archive.
absl::Cord CordOf(std::string_view text) { return absl::Cord(ToAbsl(text)); }

std::optional<std::string> PayloadOf(const Status& status, const char* name) {
  const auto payload = status.GetPayload(name);
  if (!payload.has_value()) return std::nullopt;
  return std::string(*payload);
}

}  // namespace

Status MakeError(ErrorKind kind, std::string_view message, std::string_view hint) {
  Status status(TraitsOf(kind).code, WithoutControls(message));
  const char kind_byte = static_cast<char>('A' + static_cast<int>(kind));
  status.SetPayload(kKindPayload, CordOf({&kind_byte, 1}));
  return WithHint(std::move(status), hint);
}

ErrorKind KindOf(const Status& status) {
  if (const auto payload = PayloadOf(status, kKindPayload); payload && payload->size() == 1) {
    const int index = payload->front() - 'A';
    if (index >= 0 && index < static_cast<int>(kKinds.size())) return static_cast<ErrorKind>(index);
  }
  if (status.code() == absl::StatusCode::kUnknown) return ErrorKind::kInternal;
  for (const KindTraits& traits : kKinds) {
    if (traits.code == status.code()) return traits.kind;
  }
  return ErrorKind::kInternal;
}

std::string HintOf(const Status& status) {
  return PayloadOf(status, kHintPayload).value_or(std::string());
}

Status WithHint(Status status, std::string_view hint) {
  if (status.ok()) return status;
  if (hint.empty()) {
    status.ErasePayload(kHintPayload);
  } else {
    status.SetPayload(kHintPayload, CordOf(WithoutControls(hint)));
  }
  return status;
}

std::optional<int> HttpStatusOf(const Status& status) {
  int http_status = 0;
  const auto payload = PayloadOf(status, kHttpPayload);
  if (!payload || !absl::SimpleAtoi(*payload, &http_status)) return std::nullopt;
  return http_status;
}

Status WithHttpStatus(Status status, int http_status) {
  if (!status.ok()) status.SetPayload(kHttpPayload, CordOf(std::to_string(http_status)));
  return status;
}

Status Annotate(const Status& status, std::string_view where) {
  if (status.ok()) return status;
  std::string message = WithoutControls(where);
  message.append(": ").append(MessageOf(status));
  Status annotated(status.code(), message);
  status.ForEachPayload([&annotated](absl::string_view name, const absl::Cord& value) {
    annotated.SetPayload(name, value);
  });
  return annotated;
}

ExitCode ExitCodeFor(const Status& status) {
  return status.ok() ? ExitCode::kOk : TraitsOf(KindOf(status)).exit;
}

std::string Printable(std::string_view text, size_t max_bytes) {
  if (text.size() > max_bytes) {
    size_t end = max_bytes;
    // A UTF-8 sequence has at most three continuation bytes; more of them are not UTF-8.
    while (end > 0 && max_bytes - end < 3 && IsContinuation(text[end])) --end;
    text = text.substr(0, end);
  }
  return WithoutControls(text);
}

}  // namespace vaultcore
