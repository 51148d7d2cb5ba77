#include "vaultcore/api/retry.h"

#include <absl/strings/match.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "api/answer.h"

namespace vaultcore {
namespace {

// No server means a longer wait than this; it also keeps the arithmetic from overflowing.
constexpr int64_t kLongestRetryAfterSeconds = int64_t{365} * 24 * 3600;

bool IsRetryable(const Outcome& outcome, bool idempotent) {
  if (outcome.error != nullptr) {
    const ErrorKind kind = KindOf(*outcome.error);
    if (kind != ErrorKind::kUnavailable && kind != ErrorKind::kTimeout) return false;
    return idempotent || !outcome.request_sent;
  }
  switch (outcome.response->status) {
    case 412:
    case 429:
    case 501:
    case 503:
      return true;
    default:
      return idempotent && outcome.response->status >= 500 &&
             !internal::IsLastingRefusal(*outcome.response);
  }
}

Milliseconds Backoff(const RetryPolicy& policy, int attempt, double jitter) {
  auto backoff = static_cast<double>(policy.base.count());
  const auto cap = static_cast<double>(policy.cap.count());
  for (int i = 0; i < attempt && backoff < cap; ++i) backoff *= 2;
  backoff = std::min(backoff, cap);
  return Milliseconds(static_cast<int64_t>(backoff * (0.5 + jitter / 2)));
}

std::optional<int64_t> Number(std::string_view digits) {
  if (digits.empty() || digits.front() < '0' || digits.front() > '9') return std::nullopt;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (end != digits.data() + digits.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return std::numeric_limits<int64_t>::max();
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

// RFC 9110's preferred form, which is the only one that servers of today send: "Sun, 06 Nov 1994
// 08:49:37 GMT".
std::optional<std::chrono::sys_seconds> ParseHttpDate(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  constexpr std::string_view kForm = "Www, dd Mmm yyyy hh:mm:ss GMT";
  if (text.size() != kForm.size() || text.substr(3, 2) != ", " || text.substr(25) != " GMT" ||
      text[7] != ' ' || text[11] != ' ' || text[16] != ' ' || text[19] != ':' || text[22] != ':') {
    return std::nullopt;
  }
  const auto* const month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  const auto day = Number(text.substr(5, 2));
  const auto year = Number(text.substr(12, 4));
  const auto hour = Number(text.substr(17, 2));
  const auto minute = Number(text.substr(20, 2));
  const auto second = Number(text.substr(23, 2));
  if (month == kMonths.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date(
      std::chrono::year(static_cast<int>(*year)),
      std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
      std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

bool IsVisibleAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

}  // namespace

std::optional<Milliseconds> RetryAfter(const RetryPolicy& policy, int attempt,
                                       const Outcome& outcome, bool idempotent,
                                       Milliseconds time_left, double jitter) {
  if (policy.max_retries >= 0 && attempt >= policy.max_retries) return std::nullopt;
  if (!IsRetryable(outcome, idempotent)) return std::nullopt;
  Milliseconds wait = Backoff(policy, attempt, jitter);
  if (outcome.response != nullptr &&
      (outcome.response->status == 429 || outcome.response->status == 503)) {
    wait = std::max(wait, ParseRetryAfter(*outcome.response).value_or(Milliseconds(0)));
  }
  if (wait >= time_left) return std::nullopt;
  return wait;
}

std::optional<Milliseconds> ParseRetryAfter(const HttpResponse& response) {
  const auto header = response.Header("Retry-After");
  if (!header) return std::nullopt;
  if (const auto seconds = Number(*header)) {
    return std::chrono::seconds(std::min(*seconds, kLongestRetryAfterSeconds));
  }
  const auto date = response.Header("Date");
  const auto until = ParseHttpDate(*header);
  const auto now = date ? ParseHttpDate(*date) : std::nullopt;
  if (!until || !now) return std::nullopt;
  const int64_t seconds = (*until - *now).count();
  return std::chrono::seconds(std::clamp<int64_t>(seconds, 0, kLongestRetryAfterSeconds));
}

StatusOr<std::optional<Redirect>> RedirectOf(const Endpoint& from, const HttpResponse& response) {
  std::optional<Redirect> none;
  switch (response.status) {
    case 301:
    case 302:
    case 307:
    case 308:
      break;
    default:
      return none;
  }
  const auto fail = [&from, &response](ErrorKind kind, std::string_view reason,
                                       std::string_view hint) {
    return WithHttpStatus(
        MakeError(kind,
                  absl::StrFormat("%s answers with a redirect (HTTP %d) %s", from.ToString(),
                                  response.status, std::string(reason)),
                  hint),
        response.status);
  };
  const auto location = response.Header("Location");
  if (!location || location->empty()) {
    return fail(ErrorKind::kProtocol, "that leads nowhere", "check that the address is Vault's");
  }
  // What stands before "/v1/" is an address such as a configuration may hold.
  const size_t api = location->substr(0, location->find_first_of("?#")).find("/v1/");
  if (api == std::string_view::npos || !IsVisibleAscii(*location)) {
    return fail(ErrorKind::kRejected, "to something that is not Vault's API",
                "check that the address is Vault's: a login page of a proxy answers like this");
  }
  std::string base(location->substr(0, api));
  std::string target(location->substr(api));
  target.resize(std::min(target.find('#'), target.size()));
  if (base.starts_with("//")) {
    base = (from.tls ? "https:" : "http:") + base;
  } else if (base.empty() || base.starts_with("/")) {
    Endpoint same_host = from;
    same_host.prefix.clear();
    base = same_host.ToString() + base;
  }
  auto parsed = Endpoint::Parse(base);
  if (!parsed.ok()) {
    return fail(ErrorKind::kRejected, "to an address that is not valid",
                "check api_addr in Vault's configuration");
  }
  Redirect to{*std::move(parsed), std::move(target)};
  const std::string to_name = Printable(to.endpoint.ToString());
  if (!absl::EqualsIgnoreCase(to.endpoint.host, from.host)) {
    return fail(ErrorKind::kRejected,
                "to another host, " + to_name + ", which must not be given the token",
                "if that is the active Vault node, set the address to " + to_name);
  }
  if (from.tls && !to.endpoint.tls) {
    return fail(ErrorKind::kRejected, "from https to plain http, at " + to_name,
                "make api_addr in Vault's configuration an https address");
  }
  return std::optional<Redirect>(std::move(to));
}

}  // namespace vaultcore
