#include "vaultcore/model/connection.h"

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>

#include <algorithm>

#include "base/ip_address.h"

namespace vaultcore {
namespace {

constexpr char kHint[] = "write it as https://HOST:PORT";

Status Refuse(std::string_view reason) {
  std::string message("the address ");
  message.append(reason);
  return MakeError(ErrorKind::kUsage, message, kHint);
}

bool IsHostCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_';
}

StatusOr<uint16_t> ParsePort(std::string_view text) {
  int port = 0;
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(),
                                                   [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || !absl::SimpleAtoi(ToAbsl(text), &port) || port < 1 || port > 65535) {
    return Refuse("has a port that is not a number from 1 to 65535");
  }
  return static_cast<uint16_t>(port);
}

}  // namespace

StatusOr<Endpoint> Endpoint::Parse(std::string_view url) {
  if (url.empty()) return Refuse("is empty");
  const bool clean = std::all_of(url.begin(), url.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c));
  });
  if (!clean) return Refuse("holds a space, a control character or a character outside ASCII");
  const size_t scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) {
    return Refuse("has no scheme (http:// or https://)");
  }
  const std::string scheme = absl::AsciiStrToLower(ToAbsl(url.substr(0, scheme_end)));
  if (scheme != "http" && scheme != "https") return Refuse("is neither http:// nor https://");
  std::string_view rest = url.substr(scheme_end + 3);
  const size_t authority_end = std::min(rest.find_first_of("/?#"), rest.size());
  std::string_view authority = rest.substr(0, authority_end);
  std::string_view prefix = rest.substr(authority_end);
  if (authority.find('@') != std::string_view::npos) {
    return Refuse("holds a user name or password, which is not possible here");
  }
  if (prefix.find_first_of("?#") != std::string_view::npos) {
    return Refuse("has a query or fragment (\"?\" or \"#\")");
  }

  Endpoint endpoint;
  endpoint.tls = scheme == "https";
  endpoint.port = endpoint.tls ? 443 : 80;
  if (!authority.empty() && authority.front() == '[') {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos) return Refuse("has a \"[\" without \"]\"");
    endpoint.host = absl::AsciiStrToLower(ToAbsl(authority.substr(1, close - 1)));
    if (endpoint.host.find(':') == std::string::npos || !IpAddress::Parse(endpoint.host)) {
      return Refuse("has brackets around something that is not an IPv6 address");
    }
    authority.remove_prefix(close + 1);
    if (!authority.empty() && authority.front() != ':') return Refuse("has text after \"]\"");
  } else {
    const size_t colon = std::min(authority.find(':'), authority.size());
    endpoint.host = absl::AsciiStrToLower(ToAbsl(authority.substr(0, colon)));
    authority.remove_prefix(colon);
    if (authority.find(':', authority.empty() ? 0 : 1) != std::string_view::npos) {
      return Refuse("has more than one \":\" after the host; an IPv6 address needs brackets");
    }
    if (endpoint.host.empty()) return Refuse("has no host");
    if (!std::all_of(endpoint.host.begin(), endpoint.host.end(), IsHostCharacter) ||
        endpoint.host.front() == '.' || endpoint.host.find("..") != std::string::npos) {
      return Refuse("has a host that is not a name or an IP address");
    }
  }
  // "host:" is the default port, as in any URL.
  if (authority.size() > 1) {
    VC_ASSIGN_OR_RETURN(endpoint.port, ParsePort(authority.substr(1)));
  }
  while (!prefix.empty() && prefix.back() == '/') prefix.remove_suffix(1);
  endpoint.prefix = std::string(prefix);
  return endpoint;
}

std::string Endpoint::ToString() const {
  return (tls ? "https://" : "http://") + Authority() + prefix;
}

std::string Endpoint::Authority() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace vaultcore
