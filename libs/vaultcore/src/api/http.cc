#include "vaultcore/api/http.h"

#include <algorithm>

#include "vaultcore/base/encoding.h"

namespace vaultcore {
namespace {

char LowerAscii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool SameHeaderName(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return LowerAscii(x) == LowerAscii(y);
         });
}

// RFC 9110's token.
bool IsHeaderName(std::string_view name) {
  constexpr std::string_view kPunctuation = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [kPunctuation](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           kPunctuation.find(c) != std::string_view::npos;
  });
}

bool IsHeaderValue(std::string_view value) {
  if (value.empty()) return true;
  return value.front() != ' ' && value.back() != ' ' &&
         std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c <= 0x7E; });
}

}  // namespace

std::string_view MethodName(Method method) {
  switch (method) {
    case Method::kGet:
      return "GET";
    case Method::kList:
      return "LIST";
    case Method::kPost:
      return "POST";
    case Method::kPut:
      return "PUT";
    case Method::kDelete:
      return "DELETE";
  }
  return "GET";
}

HttpRequest::HttpRequest(Method method, std::string_view api_path, Secret body)
    : method_(method),
      api_path_(api_path),
      target_("/v1/" + PercentEncode(api_path, /*keep_slash=*/true)),
      body_(std::move(body)),
      idempotent_(method == Method::kGet || method == Method::kList) {}

HttpRequest HttpRequest::Clone() const {
  HttpRequest copy(method_, api_path_, body_.Clone());
  copy.target_ = target_;
  copy.headers_.reserve(headers_.size());
  for (const auto& [name, value] : headers_) copy.headers_.emplace_back(name, value.Clone());
  copy.idempotent_ = idempotent_;
  return copy;
}

Status HttpRequest::AddHeader(std::string_view name, const Secret& value) {
  return AddHeader(name, value.Reveal());
}

Status HttpRequest::AddHeader(std::string_view name, std::string_view value) {
  if (!IsHeaderName(name)) {
    return MakeError(ErrorKind::kUsage, "\"" + Printable(name, 60) + "\" is no HTTP header name");
  }
  if (!IsHeaderValue(value)) {
    return MakeError(ErrorKind::kUsage,
                     "the value for the HTTP header " + std::string(name) +
                         " holds characters that no header may hold",
                     "look for a line break, a blank at an end, or a letter outside ASCII in it");
  }
  headers_.emplace_back(std::string(name), Secret::CopyOf(value));
  return absl::OkStatus();
}

void HttpRequest::AddQuery(std::string_view name, std::string_view value) {
  target_.push_back(target_.find('?') == std::string::npos ? '?' : '&');
  target_.append(PercentEncode(name, /*keep_slash=*/false));
  target_.push_back('=');
  target_.append(PercentEncode(value, /*keep_slash=*/false));
}

std::optional<std::string_view> HttpResponse::Header(std::string_view name) const {
  for (const auto& [header, value] : headers) {
    if (SameHeaderName(header, name)) return value;
  }
  return std::nullopt;
}

}  // namespace vaultcore
