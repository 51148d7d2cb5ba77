#include "net/origin.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_format.h>

#include <algorithm>

#include "base/ip_address.h"

namespace vaultcore::net {
namespace {

// Below this an address gets no fair chance; the last ones may then get none.
constexpr Milliseconds kLeastShare{2000};

}  // namespace

Origin Origin::From(const ConnectionSettings& settings) {
  Endpoint endpoint = settings.address;
  endpoint.host = WithoutTrailingDot(endpoint.host);
  Origin origin;
  origin.scheme = endpoint.tls ? "https" : "http";
  origin.authority = endpoint.Authority();
  origin.shown = origin.scheme + "://" + settings.address.Authority();
  origin.path_prefix = endpoint.prefix;
  origin.line_prefix = endpoint.prefix;
  if (settings.proxy) origin.proxy = "the proxy " + settings.proxy->Authority();
  if (settings.proxy && !endpoint.tls) {
    origin.line_prefix = "http://" + origin.authority + endpoint.prefix;
    origin.proxy_authorization = settings.proxy_authorization.Clone();
  }
  return origin;
}

Status ProxyRefusal(const Origin& origin, int status) {
  if (status == 407) {
    return MakeError(ErrorKind::kAuth, origin.proxy + " wants a user name and password",
                     "put them into the proxy's address: http://USER:PASSWORD@HOST:PORT");
  }
  const std::string number = absl::StrFormat(" (HTTP %d)", status);
  if (status >= 500) {
    return MakeError(ErrorKind::kUnavailable,
                     origin.proxy + " could not reach " + origin.shown + number);
  }
  return MakeError(ErrorKind::kRejected,
                   origin.proxy + " refused to connect to " + origin.shown + number,
                   "have the proxy allow it, or name the host in NO_PROXY");
}

std::string WithoutTrailingDot(std::string_view host) {
  if (host.size() > 1 && host.back() == '.') host.remove_suffix(1);
  return std::string(host);
}

bool IsIpLiteral(std::string_view host) { return IpAddress::Parse(host).has_value(); }

std::string CertificateName(const ConnectionSettings& settings) {
  return WithoutTrailingDot(settings.tls.server_name.empty() ? settings.address.host
                                                             : settings.tls.server_name);
}

Milliseconds ShareOfTime(Milliseconds left, size_t addresses_left) {
  if (addresses_left <= 1) return left;
  const Milliseconds share = left / static_cast<Milliseconds::rep>(addresses_left);
  return std::min(left, std::max(share, kLeastShare));
}

std::string ShowDuration(Milliseconds duration) {
  if (duration < Milliseconds(1000)) return absl::StrFormat("%dms", duration.count());
  return absl::StrFormat("%gs", static_cast<double>(duration.count()) / 1000.0);
}

std::string AsClause(std::string_view message) {
  std::string clause(message);
  while (!clause.empty() && clause.back() == '.') clause.pop_back();
  // "TLS ..." stays as it is.
  if (clause.size() > 1 && absl::ascii_islower(static_cast<unsigned char>(clause[1]))) {
    clause[0] = absl::ascii_tolower(static_cast<unsigned char>(clause[0]));
  }
  return clause;
}

bool MayBePipelined(const HttpRequest& request) {
  return request.idempotent() &&
         (request.method() == Method::kGet || request.method() == Method::kList) &&
         request.body().empty();
}

}  // namespace vaultcore::net
