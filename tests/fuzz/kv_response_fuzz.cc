// Every reader of answers on any answer: an error in one line, or a result that holds together.
//
// Input: an answer as in tests/golden: status line, headers, an empty line, body; what stands
// before
// "### response" is skipped, so that golden files are inputs.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "fuzz/check.h"
#include "vaultcore/api/errors.h"
#include "vaultcore/api/kv.h"
#include "vaultcore/api/retry.h"
#include "vaultcore/api/sys.h"

namespace vaultcore {
namespace {

std::string_view Cut(std::string_view& text, std::string_view mark) {
  const size_t at = text.find(mark);
  const std::string_view before = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + mark.size());
  return before;
}

HttpResponse ReadAnswer(std::string_view text) {
  constexpr std::string_view kMark = "### response\n";
  if (const size_t at = text.find(kMark); at != std::string_view::npos) {
    text.remove_prefix(at + kMark.size());
  }
  HttpResponse response;
  response.status = std::abs(std::atoi(std::string(Cut(text, "\n").substr(0, 3)).c_str()));
  while (!text.empty()) {
    std::string_view line = Cut(text, "\n");
    if (line.empty()) break;
    const std::string_view name = Cut(line, ": ");
    response.headers.emplace_back(std::string(name), std::string(line));
  }
  response.body = Secret::CopyOf(text);
  return response;
}

void CheckKv(const KvMount& mount, const SecretPath& path, const HttpResponse& response) {
  const auto entry = ParseKvRead(mount, path, response);
  CheckError(entry.status());
  if (entry.ok()) {
    Check(entry->present() == (response.status < 300), "only 2xx is an entry with data");
    Check(entry->present() || entry->data.empty(), "no data without an entry");
    const HttpRequest write = BuildKvWrite(mount, path, entry->data, CheckAndSet{entry->version});
    Check(Json::Parse(write.body().Reveal()).ok(), "what was read can be written");
    for (const auto& [key, value] : entry->data) KvText(value);
    CheckError(CheckKvData(mount, entry->data));
  }
  CheckError(ParseKvWrite(mount, path, response).status());
  CheckError(ParseKvWriteMetadata(mount, path, response));
  CheckError(ParseKvList(mount, path, response).status());
  CheckError(ParseKvReadMetadata(mount, path, response).status());
}

void CheckRetry(const HttpResponse& response) {
  Outcome outcome;
  outcome.response = &response;
  const auto wait = RetryAfter(RetryPolicy(), 0, outcome, true, Milliseconds(60'000), 0.5);
  Check(!wait || (wait->count() >= 0 && wait->count() < 60'000), "a wait within the time left");
  const Endpoint from = *Endpoint::Parse("https://vault.example:8200");
  const auto redirect = RedirectOf(from, response);
  CheckError(redirect.status());
  if (redirect.ok() && redirect->has_value()) {
    Check((*redirect)->endpoint.host == from.host && (*redirect)->endpoint.tls,
          "the token stays with its host");
    Check((*redirect)->target.starts_with("/v1/"), "a redirect leads to Vault's API");
  }
}

}  // namespace
}  // namespace vaultcore

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vaultcore;  // NOLINT: a function of this size
  static const Mount mount = *Mount::Parse("secret");
  static const SecretPath path = *SecretPath::Parse("harness/x");
  const HttpResponse response = ReadAnswer({reinterpret_cast<const char*>(data), size});
  CheckKv({mount, KvVersion::kV1}, path, response);
  CheckKv({mount, KvVersion::kV2}, path, response);
  CheckRetry(response);
  CheckError(ParseMountLookup("secret", response).status());
  CheckError(ParseLogin("login", response).status());
  CheckError(ParseTokenLookup(response).status());
  CheckError(ParseTokenRenew(response).status());
  CheckError(ParseWrapLookupCreationPath(response).status());
  CheckError(ParseUnwrap(response).status());
  CheckError(ParseCapabilitiesSelf({"a", "b"}, response).status());
  CheckError(ParseDatabaseCredentials(mount, "app", response).status());
  CheckError(ParseEmpty("do", response));
  ParseHealth(response);
  return 0;
}
