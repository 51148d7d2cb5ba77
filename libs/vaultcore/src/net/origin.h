// Names of the server: what goes into the Host header, SNI and certificate checks, and into
// messages. Pure.

#ifndef VAULTCORE_NET_ORIGIN_H_
#define VAULTCORE_NET_ORIGIN_H_

#include <string>
#include <string_view>

#include "vaultcore/api/http.h"
#include "vaultcore/base/clock.h"
#include "vaultcore/base/status.h"
#include "vaultcore/model/connection.h"

namespace vaultcore::net {

// The server that requests are for, as the request line and headers name it.
struct Origin {
  std::string shown;        // "https://vault:8200": for messages
  std::string scheme;       // "https"
  std::string authority;    // "vault:8200": Host, :authority and CONNECT
  std::string path_prefix;  // "" or "/prefix"
  std::string line_prefix;  // stands before the path in an HTTP/1.1 request line: as path_prefix,
                            // or "http://vault:8200/prefix" through a proxy
  std::string proxy;        // "the proxy proxy:3128"; empty when there is none
  Secret proxy_authorization;  // for each request of plain HTTP through a proxy; else empty

  static Origin From(const ConnectionSettings& settings);
};

// What a proxy's refusal (its HTTP `status`) to let us through to `origin` means.
Status ProxyRefusal(const Origin& origin, int status);

// "vault.example." is the same host as "vault.example": the dot only keeps the resolver from
// searching.
std::string WithoutTrailingDot(std::string_view host);

bool IsIpLiteral(std::string_view host);

// The name that the server's certificate must bear.
std::string CertificateName(const ConnectionSettings& settings);

// How long to try one of `addresses_left` addresses when all have `left` together: an address that
// swallows packets must not use up the time of the next one.
Milliseconds ShareOfTime(Milliseconds left, size_t addresses_left);

// "3s", "1.5s", "250ms"
std::string ShowDuration(Milliseconds duration);

// An operating system's or library's message in the house style: no capital at the start, no
// period at the end.
std::string AsClause(std::string_view message);

// Reads only ask; only they may share an HTTP/1.1 connection with others under way.
bool MayBePipelined(const HttpRequest& request);

}  // namespace vaultcore::net

#endif  // VAULTCORE_NET_ORIGIN_H_
