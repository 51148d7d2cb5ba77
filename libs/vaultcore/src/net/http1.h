// HTTP/1.1 on the wire, without a wire: requests become bytes, bytes become answers. No I/O.

#ifndef VAULTCORE_NET_HTTP1_H_
#define VAULTCORE_NET_HTTP1_H_

#include <cstddef>
#include <memory>
#include <string_view>

#include "net/origin.h"
#include "net/wire_buffer.h"
#include "vaultcore/api/http.h"
#include "vaultcore/base/status.h"

namespace vaultcore::net {

// The largest header section accepted, of either protocol version.
inline constexpr size_t kMaxHeaderBytes = 64 << 10;

// Appends the whole request, body included.
void SerializeRequest(const HttpRequest& request, const Origin& origin, WireBuffer& out);

// "CONNECT vault:8200 HTTP/1.1 ...", for a tunnel through a proxy.
void SerializeConnect(std::string_view authority, const Secret& proxy_authorization,
                      WireBuffer& out);

// Parses one answer, fed in any portions. Errors are kProtocol and final.
class Http1ResponseParser {
 public:
  enum class Body { kAsStated, kNone };  // kNone: the answer to CONNECT

  explicit Http1ResponseParser(size_t max_body_bytes, Body body = Body::kAsStated);
  ~Http1ResponseParser();
  Http1ResponseParser(const Http1ResponseParser&) = delete;
  Http1ResponseParser& operator=(const Http1ResponseParser&) = delete;

  // Takes bytes and returns how many it could use: all or less than all, when the answer is
  // complete or the header is not. What is left must be fed again, with more behind it.
  StatusOr<size_t> Feed(std::string_view bytes);
  // The peer will send no more: completes an answer that ends with the connection.
  Status FeedEnd();

  bool done() const;
  // Valid when done: false when the connection ends with this answer.
  bool keep_alive() const;
  HttpResponse Take();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Why something that is no HTTP answer came from a plain-text port, if its first bytes tell: a TLS
// alert means that the server speaks TLS.
bool LooksLikeTls(std::string_view bytes);

}  // namespace vaultcore::net

#endif  // VAULTCORE_NET_HTTP1_H_
