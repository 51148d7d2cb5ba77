// Requests and responses of Vault's HTTP API as plain values: no sockets, no library types.

#ifndef VAULTCORE_API_HTTP_H_
#define VAULTCORE_API_HTTP_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vaultcore/base/secret.h"
#include "vaultcore/base/status.h"

namespace vaultcore {

// Listings are asked for with GET and "?list=true", as Vault's own client does, because proxies may
// not know kList.
enum class Method { kGet, kList, kPost, kPut, kDelete };

// "GET", "LIST", ...
std::string_view MethodName(Method method);

// One request. The path is percent-encoded on construction, so no input can break out of the
// request line.
class HttpRequest {
 public:
  // `api_path` is below "/v1/" and unencoded: "secret/data/harness/x". `body` is JSON, or empty.
  HttpRequest(Method method, std::string_view api_path, Secret body = {});
  HttpRequest(HttpRequest&&) = default;
  HttpRequest& operator=(HttpRequest&&) = default;

  // A second request with the same content (for a retry or a redirect).
  HttpRequest Clone() const;

  // Adds a header. `value` must be printable ASCII without a space at its ends (kUsage otherwise):
  // CR and LF would inject headers.
  Status AddHeader(std::string_view name, const Secret& value);
  Status AddHeader(std::string_view name, std::string_view value);
  // Appends "?name=value", encoded.
  void AddQuery(std::string_view name, std::string_view value);

  Method method() const { return method_; }
  // Encoded, starts with "/v1/", query included.
  const std::string& target() const { return target_; }
  // Unencoded, for messages and policies: "secret/data/harness/x".
  const std::string& api_path() const { return api_path_; }
  const Secret& body() const { return body_; }
  const std::vector<std::pair<std::string, Secret>>& headers() const { return headers_; }
  // True when sending it twice does what sending it once does: GET, LIST; or marked so. The
  // builders mark what Vault lets repeat, such as lookups and logins.
  bool idempotent() const { return idempotent_; }
  void set_idempotent(bool value) { idempotent_ = value; }

 private:
  Method method_;
  std::string api_path_;
  std::string target_;
  Secret body_;
  std::vector<std::pair<std::string, Secret>> headers_;
  bool idempotent_;
};

// One answer, whatever its status.
struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  Secret body;

  // The first header of that name (any case), or nullopt.
  std::optional<std::string_view> Header(std::string_view name) const;
};

}  // namespace vaultcore

#endif  // VAULTCORE_API_HTTP_H_
