#include "net/http1.h"

#include <absl/strings/match.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <cassert>
#include <string>
#include <utility>

namespace vaultcore::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

// A stated length is believed only so far before the bytes arrive.
constexpr size_t kMaxReserve = 256 << 10;

void AppendHeader(std::string_view name, std::string_view value, WireBuffer& out) {
  // HttpRequest refuses them; a line break here would be a header of somebody else's making.
  assert(value.find_first_of("\r\n") == std::string_view::npos);
  out.Append(name);
  out.Append(": ");
  out.Append(value);
  out.Append("\r\n");
}

bool HasHeader(const HttpRequest& request, std::string_view name) {
  return std::any_of(request.headers().begin(), request.headers().end(), [&](const auto& header) {
    return absl::EqualsIgnoreCase(header.first, ToAbsl(name));
  });
}

}  // namespace

void SerializeRequest(const HttpRequest& request, const Origin& origin, WireBuffer& out) {
  assert(request.target().find_first_of("\r\n ") == std::string::npos);
  out.Append(MethodName(request.method()));
  out.Append(" ");
  out.Append(origin.line_prefix);
  out.Append(request.target());
  out.Append(" HTTP/1.1\r\n");
  AppendHeader("Host", origin.authority, out);
  if (!origin.proxy_authorization.empty()) {
    AppendHeader("Proxy-Authorization", origin.proxy_authorization.Reveal(), out);
  }
  for (const auto& [name, value] : request.headers()) AppendHeader(name, value.Reveal(), out);
  const bool has_body = !request.body().empty();
  if (has_body && !HasHeader(request, "Content-Type")) {
    AppendHeader("Content-Type", "application/json", out);
  }
  if (has_body || request.method() == Method::kPost || request.method() == Method::kPut) {
    AppendHeader("Content-Length", std::to_string(request.body().size()), out);
  }
  out.Append("\r\n");
  out.Append(request.body().Reveal());
}

void SerializeConnect(std::string_view authority, const Secret& proxy_authorization,
                      WireBuffer& out) {
  out.Append("CONNECT ");
  out.Append(authority);
  out.Append(" HTTP/1.1\r\n");
  AppendHeader("Host", authority, out);
  if (!proxy_authorization.empty()) {
    AppendHeader("Proxy-Authorization", proxy_authorization.Reveal(), out);
  }
  out.Append("\r\n");
}

// Beast's parser without Beast's message types: what it finds goes straight to where it belongs.
class Http1ResponseParser::Impl final : public http::basic_parser<false> {
 public:
  Impl(size_t max_body_bytes, Body expected) : max_body_bytes_(max_body_bytes) {
    body_limit(max_body_bytes);
    header_limit(kMaxHeaderBytes);
    eager(true);
    skip(expected == Body::kNone);
  }

  Status Explain(const error_code& error) const {
    if (error == http::error::body_limit) {
      return MakeError(ErrorKind::kProtocol,
                       absl::StrFormat("the answer is larger than %d bytes", max_body_bytes_));
    }
    if (error == http::error::header_limit) {
      return MakeError(
          ErrorKind::kProtocol,
          absl::StrFormat("the answer's headers are larger than %d bytes", kMaxHeaderBytes));
    }
    return MakeError(ErrorKind::kProtocol, "the answer is not HTTP (" + error.message() + ")");
  }

  HttpResponse response;
  SecretBuilder body;

 private:
  void on_request_impl(http::verb, string_view, string_view, int, error_code&) override {}
  void on_response_impl(int code, string_view, int, error_code&) override {
    response.status = code;
  }
  void on_field_impl(http::field, string_view name, string_view value, error_code&) override {
    response.headers.emplace_back(std::string(name.data(), name.size()),
                                  std::string(value.data(), value.size()));
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override {
    if (length) body.Reserve(static_cast<size_t>(std::min<std::uint64_t>(*length, kMaxReserve)));
  }
  size_t on_body_impl(string_view bytes, error_code&) override {
    body.Append(std::string_view(bytes.data(), bytes.size()));
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code& error) override {
    return on_body_impl(bytes, error);
  }
  void on_finish_impl(error_code&) override {}

  size_t max_body_bytes_;
};

Http1ResponseParser::Http1ResponseParser(size_t max_body_bytes, Body body)
    : impl_(std::make_unique<Impl>(max_body_bytes, body)) {}
Http1ResponseParser::~Http1ResponseParser() = default;

StatusOr<size_t> Http1ResponseParser::Feed(std::string_view bytes) {
  size_t used = 0;
  while (used < bytes.size() && !impl_->is_done()) {
    error_code error;
    const size_t count =
        impl_->put(boost::asio::const_buffer(bytes.data() + used, bytes.size() - used), error);
    used += count;
    if (error == http::error::need_more) break;
    if (error) return impl_->Explain(error);
  }
  return used;
}

Status Http1ResponseParser::FeedEnd() {
  error_code error = http::error::partial_message;
  if (impl_->got_some()) impl_->put_eof(error);
  if (!error) return absl::OkStatus();
  return MakeError(ErrorKind::kUnavailable, "the connection ended in the middle of the answer");
}

bool Http1ResponseParser::done() const { return impl_->is_done(); }
bool Http1ResponseParser::keep_alive() const { return impl_->keep_alive(); }

HttpResponse Http1ResponseParser::Take() {
  impl_->response.body = impl_->body.Take();
  return std::move(impl_->response);
}

bool LooksLikeTls(std::string_view bytes) {
  // An alert or a handshake record of SSL 3.0 to TLS 1.3.
  return bytes.size() >= 3 && (bytes[0] == 0x15 || bytes[0] == 0x16) && bytes[1] == 0x03 &&
         bytes[2] >= 0 && bytes[2] <= 4;
}

}  // namespace vaultcore::net
