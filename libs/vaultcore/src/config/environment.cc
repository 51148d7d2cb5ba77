#include "vaultcore/config/environment.h"

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/ip_address.h"
#include "vaultcore/base/encoding.h"

namespace vaultcore {
namespace {

// What Vault's client means by a timeout of 0, "none", as a number that can be added to a time.
constexpr Milliseconds kNoTimeout = std::chrono::hours(24 * 365);

// The value of `name`, or nullopt when it is not set or empty.
std::optional<std::string> Lookup(const EnvironmentLookup& environment, std::string_view name) {
  std::optional<std::string> value = environment(name);
  if (value && value->empty()) value.reset();
  return value;
}

Status Refuse(std::string_view variable, std::string_view reason, std::string_view hint = {}) {
  std::string message(variable);
  message.append(" ").append(reason);
  return MakeError(ErrorKind::kUsage, message, hint);
}

// Go's strconv.ParseBool.
std::optional<bool> ParseGoBool(std::string_view text) {
  constexpr std::array<std::string_view, 6> kTrue = {"1", "t", "T", "TRUE", "true", "True"};
  constexpr std::array<std::string_view, 6> kFalse = {"0", "f", "F", "FALSE", "false", "False"};
  if (std::find(kTrue.begin(), kTrue.end(), text) != kTrue.end()) return true;
  if (std::find(kFalse.begin(), kFalse.end(), text) != kFalse.end()) return false;
  return std::nullopt;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Decimal digits only: no sign, no space, no exponent.
template <typename Number>
std::optional<Number> ParseDigits(std::string_view text) {
  Number number = 0;
  if (text.empty() || !std::all_of(text.begin(), text.end(), IsDigit) ||
      !absl::SimpleAtoi(ToAbsl(text), &number)) {
    return std::nullopt;
  }
  return number;
}

struct RateLimit {
  double rate = 0;
  int burst = 0;
};

// "RATE" or "RATE:BURST".
std::optional<RateLimit> ParseRateLimit(std::string_view text) {
  RateLimit limit;
  const size_t colon = text.find(':');
  if (!absl::SimpleAtod(ToAbsl(text.substr(0, colon)), &limit.rate) || !std::isfinite(limit.rate) ||
      limit.rate < 0) {
    return std::nullopt;
  }
  if (colon != std::string_view::npos) {
    const std::optional<int> burst = ParseDigits<int>(text.substr(colon + 1));
    if (!burst) return std::nullopt;
    limit.burst = *burst;
  }
  return limit;
}

struct DurationUnit {
  std::string_view name;
  double milliseconds;
};

// "ms" stands before "m", so that the longer name is tried first. Days are Vault's addition to Go's
// durations.
constexpr std::array<DurationUnit, 9> kUnits = {{{"ns", 1e-6},
                                                 {"us", 1e-3},
                                                 {"\xC2\xB5s", 1e-3},
                                                 {"\xCE\xBCs", 1e-3},
                                                 {"ms", 1},
                                                 {"s", 1e3},
                                                 {"m", 60e3},
                                                 {"h", 3600e3},
                                                 {"d", 86400e3}}};

// Takes "1.5h" off the front of `text` and adds it to `total`, in milliseconds.
bool TakeDurationPart(std::string_view& text, double& total) {
  const size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  double number = 0;
  const std::string_view amount = text.substr(0, digits);
  if (!std::any_of(amount.begin(), amount.end(), IsDigit) ||
      !absl::SimpleAtod(ToAbsl(amount), &number)) {
    return false;
  }
  text.remove_prefix(digits);
  for (const DurationUnit& unit : kUnits) {
    if (text.substr(0, unit.name.size()) == unit.name) {
      text.remove_prefix(unit.name.size());
      total += number * unit.milliseconds;
      return true;
    }
  }
  return false;
}

// "%40" is "@", in the user info of a URL. nullopt for a "%" without two hexadecimal digits.
std::optional<Secret> PercentDecode(std::string_view text) {
  const auto digit = [](char c) {
    if (IsDigit(c)) return c - '0';
    const char lower = absl::ascii_tolower(static_cast<unsigned char>(c));
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  };
  SecretBuilder out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.Append(text[i]);
      continue;
    }
    if (i + 2 >= text.size() || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0) {
      return std::nullopt;
    }
    out.Append(static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])));
    i += 2;
  }
  return out.Take();
}

// Fills proxy and proxy_authorization from the URL in `variable`, which may lack a scheme.
Status SetProxy(std::string_view variable, std::string_view url, ConnectionSettings& settings) {
  std::string scheme = "http";
  if (const size_t end = url.find("://"); end != std::string_view::npos) {
    scheme = absl::AsciiStrToLower(ToAbsl(url.substr(0, end)));
    url.remove_prefix(end + 3);
  }
  if (scheme != "http") {
    return Refuse(variable, "names a proxy that is not an http:// one",
                  "only HTTP proxies are supported, written http://HOST:PORT");
  }
  const std::string_view authority = url.substr(0, url.find_first_of("/?#"));
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view user_info = authority.substr(0, at);
    const size_t colon = std::min(user_info.find(':'), user_info.size());
    const std::optional<Secret> user = PercentDecode(user_info.substr(0, colon));
    const std::optional<Secret> password =
        PercentDecode(user_info.substr(std::min(colon + 1, user_info.size())));
    if (!user || !password) {
      return Refuse(variable, "has a user name or password with a bad \"%\" escape");
    }
    SecretBuilder pair;
    pair.Append(user->Reveal());
    pair.Append(':');
    pair.Append(password->Reveal());
    SecretBuilder header;
    header.Append("Basic ");
    header.Append(Base64Encode(pair.Reveal()).Reveal());
    settings.proxy_authorization = header.Take();
    url.remove_prefix(at + 1);
  }
  auto proxy = Endpoint::Parse("http://" + std::string(url));
  if (!proxy.ok()) return Annotate(proxy.status(), variable);
  settings.proxy = *std::move(proxy);
  return absl::OkStatus();
}

// "host:port" into its parts; a bare IPv6 address has none.
void SplitPort(std::string_view& host, std::string_view& port) {
  if (!host.empty() && host.front() == '[') {
    const size_t close = host.find(']');
    if (close == std::string_view::npos) return;
    const std::string_view after = host.substr(close + 1);
    if (!after.empty() && after.front() == ':') port = after.substr(1);
    host = host.substr(1, close - 1);
    return;
  }
  const size_t colon = host.find(':');
  if (colon == std::string_view::npos || host.find(':', colon + 1) != std::string_view::npos) {
    return;
  }
  port = host.substr(colon + 1);
  host = host.substr(0, colon);
}

// True when `entry` is a block such as "10.0.0.0/8"; `matches` says whether `address` is in it.
bool IsBlock(std::string_view entry, const std::optional<IpAddress>& address, bool& matches) {
  const size_t slash = entry.find('/');
  if (slash == std::string_view::npos) return false;
  const std::optional<IpAddress> block = IpAddress::Parse(entry.substr(0, slash));
  const std::optional<int> bits = ParseDigits<int>(entry.substr(slash + 1));
  if (!block || !bits || *bits > (block->is_v4() ? 32 : 128)) return false;
  matches = address && address->is_v4() == block->is_v4() &&
            address->IsIn(*block, block->is_v4() ? *bits + 96 : *bits);
  return true;
}

// One entry of NO_PROXY, lower case and trimmed, as golang.org/x/net/http/httpproxy reads it.
bool NoProxyEntryCovers(std::string_view entry, std::string_view host, std::string_view port,
                        const std::optional<IpAddress>& address) {
  if (entry == "*") return true;
  bool matches = false;
  if (IsBlock(entry, address, matches)) return matches;
  std::string_view entry_port;
  SplitPort(entry, entry_port);
  if (entry.empty() || (!entry_port.empty() && entry_port != port)) return false;
  if (const std::optional<IpAddress> entry_address = IpAddress::Parse(entry)) {
    return address == entry_address;
  }
  if (address) return false;
  if (entry.substr(0, 2) == "*.") entry.remove_prefix(1);
  if (entry.front() != '.') {
    if (host == entry) return true;
    return host.size() > entry.size() && host.substr(host.size() - entry.size()) == entry &&
           host[host.size() - entry.size() - 1] == '.';
  }
  return host.size() >= entry.size() && host.substr(host.size() - entry.size()) == entry;
}

// True when the environment's proxy is not for this address.
bool IsProxyExempt(const EnvironmentLookup& environment, const Endpoint& endpoint) {
  std::string_view host = endpoint.host;
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  const std::optional<IpAddress> address = IpAddress::Parse(host);
  if (host == "localhost" || (address && address->IsLoopback())) return true;
  std::optional<std::string> list = Lookup(environment, "NO_PROXY");
  if (!list) list = Lookup(environment, "no_proxy");
  if (!list) return false;
  const std::string lower = absl::AsciiStrToLower(*list);
  const std::string port = std::to_string(endpoint.port);
  for (std::string_view rest = lower; !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view entry = ToStd(absl::StripAsciiWhitespace(ToAbsl(rest.substr(0, comma))));
    if (!entry.empty() && NoProxyEntryCovers(entry, host, port, address)) return true;
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return false;
}

}  // namespace

Status ApplyVaultEnvironment(const EnvironmentLookup& environment, ConnectionSettings& settings) {
  const std::array<std::pair<std::string_view, std::string*>, 7> texts = {{
      {"VAULT_CACERT", &settings.tls.ca_file},
      {"VAULT_CACERT_BYTES", &settings.tls.ca_pem},
      {"VAULT_CAPATH", &settings.tls.ca_dir},
      {"VAULT_CLIENT_CERT", &settings.tls.client_cert},
      {"VAULT_CLIENT_KEY", &settings.tls.client_key},
      {"VAULT_TLS_SERVER_NAME", &settings.tls.server_name},
      {"VAULT_NAMESPACE", &settings.vault_namespace},
  }};
  for (const auto& [name, target] : texts) {
    if (auto value = Lookup(environment, name)) *target = *std::move(value);
  }
  if (const auto value = Lookup(environment, "VAULT_SKIP_VERIFY")) {
    const std::optional<bool> skip = ParseGoBool(*value);
    if (!skip) return Refuse("VAULT_SKIP_VERIFY", "is neither true nor false");
    settings.tls.skip_verify = *skip;
  }
  if (const auto value = Lookup(environment, "VAULT_CLIENT_TIMEOUT")) {
    const StatusOr<Milliseconds> timeout = ParseDuration(*value);
    if (!timeout.ok()) return Annotate(timeout.status(), "VAULT_CLIENT_TIMEOUT");
    settings.request_timeout = timeout->count() == 0 ? kNoTimeout : *timeout;
  }
  if (const auto value = Lookup(environment, "VAULT_MAX_RETRIES")) {
    const std::optional<int> retries = ParseDigits<int>(*value);
    if (!retries) return Refuse("VAULT_MAX_RETRIES", "is not a whole number from 0 up");
    settings.max_retries = *retries;
  }
  if (const auto value = Lookup(environment, "VAULT_RATE_LIMIT")) {
    const std::optional<RateLimit> limit = ParseRateLimit(*value);
    if (!limit) {
      return Refuse("VAULT_RATE_LIMIT", "is not a rate",
                    "write RATE or RATE:BURST, requests a second and at once, as in 10:20");
    }
    settings.rate_limit = limit->rate;
    settings.rate_burst = limit->burst;
  }
  return absl::OkStatus();
}

StatusOr<std::optional<Endpoint>> VaultAddressFrom(const EnvironmentLookup& environment) {
  const std::optional<std::string> value = Lookup(environment, "VAULT_ADDR");
  if (!value) return std::optional<Endpoint>();
  auto endpoint = Endpoint::Parse(*value);
  if (!endpoint.ok()) return Annotate(endpoint.status(), "VAULT_ADDR");
  return std::optional<Endpoint>(*std::move(endpoint));
}

Status SetProxyFromEnvironment(const EnvironmentLookup& environment, ConnectionSettings& settings) {
  settings.proxy.reset();
  settings.proxy_authorization = Secret();
  for (const std::string_view name : {"VAULT_PROXY_ADDR", "VAULT_HTTP_PROXY"}) {
    if (const auto value = Lookup(environment, name)) return SetProxy(name, *value, settings);
  }
  if (IsProxyExempt(environment, settings.address)) return absl::OkStatus();
  constexpr std::array<std::string_view, 2> kSecure = {"HTTPS_PROXY", "https_proxy"};
  constexpr std::array<std::string_view, 2> kPlain = {"HTTP_PROXY", "http_proxy"};
  for (const std::string_view name : settings.address.tls ? kSecure : kPlain) {
    if (const auto value = Lookup(environment, name)) return SetProxy(name, *value, settings);
  }
  return absl::OkStatus();
}

StatusOr<Milliseconds> ParseDuration(std::string_view text) {
  double total = 0;
  bool valid = !text.empty();
  if (const std::optional<int64_t> seconds = ParseDigits<int64_t>(text)) {
    total = static_cast<double>(*seconds) * 1e3;
    text = {};
  }
  while (valid && !text.empty()) valid = TakeDurationPart(text, total);
  if (!valid) {
    return MakeError(ErrorKind::kUsage, "this is not a duration", "write 60, 60s, 1m30s or 500ms");
  }
  // Far below what overflows when it is added to a time, far above what anybody waits for.
  if (total > static_cast<double>(kNoTimeout.count())) {
    return MakeError(ErrorKind::kUsage, "this duration is longer than a year");
  }
  // Rounded up, so that nothing but 0 becomes 0, which means "none" to some.
  return Milliseconds(static_cast<int64_t>(std::ceil(total)));
}

}  // namespace vaultcore
