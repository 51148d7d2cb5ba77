#include "vaultcore/api/errors.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_format.h>

#include <optional>
#include <utility>
#include <vector>

#include "api/answer.h"
#include "vaultcore/api/sys.h"

namespace vaultcore {
namespace {

constexpr std::string_view kPlainHttpToTls = "Client sent an HTTP request to an HTTPS server";

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string_view Trim(std::string_view text) {
  return ToStd(absl::StripAsciiWhitespace(ToAbsl(text)));
}

// True for "1 error occurred:" and "2 errors occurred:", with which Vault heads several errors.
bool IsErrorCount(std::string_view line) {
  size_t digits = 0;
  while (digits < line.size() && line[digits] >= '0' && line[digits] <= '9') ++digits;
  line.remove_prefix(digits);
  return digits > 0 && (line == " error occurred:" || line == " errors occurred:");
}

// One of Vault's errors on one line: "1 error occurred:\n\t* permission denied\n\n" is "permission
// denied".
std::string OneLine(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = Trim(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.starts_with("* ")) line = Trim(line.substr(2));
    if (line.empty() || IsErrorCount(line)) continue;
    if (!out.empty()) out.append("; ");
    out.append(line);
  }
  return out;
}

std::string JoinErrors(const Json& body) {
  std::string all;
  for (const Json& error : body["errors"].items()) {
    const std::string line = OneLine(error.AsText());
    if (line.empty()) continue;
    if (!all.empty()) all.append("; ");
    all.append(line);
  }
  return Printable(all);
}

// What a body tells besides the status.
struct ErrorBody {
  bool is_vaults = false;  // a JSON object, as all of Vault's answers are
  bool is_empty = false;
  std::string errors;  // one line
  std::vector<std::string> warnings;
};

ErrorBody ReadBody(const HttpResponse& response) {
  ErrorBody read;
  read.is_empty = Trim(response.body.Reveal()).empty();
  auto body = Json::Parse(response.body.Reveal());
  if (!body.ok() || !body->is_object()) return read;
  read.is_vaults = true;
  read.errors = JoinErrors(*body);
  read.warnings = ParseWarnings(*body);
  return read;
}

// "create and update" or "create, update" as HCL: ["create", "update"].
std::string CapabilityList(std::string_view words) {
  std::string list = "[";
  std::string word;
  const auto flush = [&list, &word] {
    if (!word.empty() && word != "and") {
      if (list.size() > 1) list.append(", ");
      list.append("\"").append(word).append("\"");
    }
    word.clear();
  };
  for (const char c : words) {
    if (c >= 'a' && c <= 'z') {
      word.push_back(c);
    } else {
      flush();
    }
  }
  flush();
  return list + "]";
}

std::string PolicyStanza(const Operation& operation) {
  std::string path;
  for (const char c : operation.policy_path) {
    if (c == '"' || c == '\\') path.push_back('\\');
    path.push_back(c);
  }
  return absl::StrFormat("path \"%s\" { capabilities = %s }", path,
                         CapabilityList(operation.capability));
}

// The parts of the error to be.
struct Meaning {
  ErrorKind kind;
  std::string cause;
  std::string hint;
  bool says_it_all = false;  // Vault's own words would only repeat the cause
};

Meaning Forbidden(const Operation& operation, const ErrorBody& body) {
  if (operation.is_login) return {ErrorKind::kAuth, "refused", ""};
  if (Contains(body.errors, "invalid token")) {
    return {ErrorKind::kAuth, "the token is not valid",
            "it has expired, was revoked, or belongs to another Vault: log in again, or set "
            "VAULT_TOKEN anew",
            /*says_it_all=*/true};
  }
  if (!body.is_vaults && !body.is_empty) {
    return {ErrorKind::kPermission, "forbidden", ""};
  }
  Meaning meaning{ErrorKind::kPermission, "permission denied", ""};
  if (!operation.policy_path.empty() && !operation.capability.empty()) {
    meaning.hint = "a policy of the token must have: " + PolicyStanza(operation);
  }
  return meaning;
}

Meaning NotFound(const Operation& operation, const ErrorBody& body) {
  if (!body.is_vaults) {
    return {ErrorKind::kProtocol, "not found",
            "check that the address is Vault's, without a path behind it unless a proxy needs one"};
  }
  if (operation.is_login) {
    return {ErrorKind::kAuth, "there is no such auth method or role",
            "compare the mount with the output of: vault auth list"};
  }
  if (Contains(body.errors, "no handler for route")) {
    return {ErrorKind::kNotFound, "nothing is mounted there",
            "compare the mount with the output of: vault secrets list; and check the namespace"};
  }
  for (const std::string& warning : body.warnings) {
    if (Contains(warning, "versioned K/V")) {
      return {ErrorKind::kNotFound, "the mount is KV version 2, and was asked in the form of 1",
              ""};
    }
  }
  return {ErrorKind::kNotFound, "not found", ""};
}

// Vault answers 500 to some requests that are at fault themselves: JSON that it does not take, and
// values beyond its limits.
bool BlamesTheRequest(std::string_view errors) {
  return Contains(errors, "malformed JSON") || Contains(errors, "exceeds allowed") ||
         Contains(errors, "value being too large");
}

Meaning ServerFault(int http_status, const ErrorBody& body) {
  if (http_status == 500 && BlamesTheRequest(body.errors)) {
    return {ErrorKind::kRejected, "Vault refused the request",
            "an entry may have 1 MiB at most, all its values together"};
  }
  if (http_status == 501) {
    return {ErrorKind::kUnavailable, "Vault is not initialised",
            "initialise it (vault operator init) and unseal it"};
  }
  if (Contains(body.errors, "Vault is sealed")) {
    return {ErrorKind::kUnavailable, "Vault is sealed, or not yet initialised",
            "see its state with: vault status; unseal it with: vault operator unseal",
            /*says_it_all=*/true};
  }
  if (Contains(body.errors, "active cluster node not found")) {
    return {ErrorKind::kUnavailable, "this Vault node is a standby, and none is active",
            "see the cluster's state with: vault operator raft list-peers, vault status"};
  }
  if (http_status == 472 || http_status == 473) {
    return {ErrorKind::kUnavailable, "this Vault node is a standby",
            "set the address to the active node, or to a load balancer that finds it"};
  }
  if (!body.is_vaults && http_status != 500) {
    return {ErrorKind::kUnavailable, absl::StrFormat("no answer from Vault (HTTP %d)", http_status),
            "see whether Vault runs, and what stands between"};
  }
  return {ErrorKind::kUnavailable, absl::StrFormat("Vault failed (HTTP %d)", http_status),
          "see the log of Vault"};
}

Meaning MeaningOf(const Operation& operation, int http_status, const ErrorBody& body) {
  switch (http_status) {
    case 400:
      if (operation.is_login) return {ErrorKind::kAuth, "refused", ""};
      return {ErrorKind::kRejected, "Vault refused the request", ""};
    case 401:
    case 407:
      return {ErrorKind::kAuth,
              absl::StrFormat("credentials are asked for (HTTP %d), which Vault never does",
                              http_status),
              "a proxy stands between: give it its credentials, or go around it with NO_PROXY"};
    case 403:
      return Forbidden(operation, body);
    case 404:
      return NotFound(operation, body);
    case 405:
      return {ErrorKind::kRejected, "the path does not support this (HTTP 405)",
              "the mount may be of another type than expected: see vault secrets list"};
    case 412:
      return {ErrorKind::kUnavailable, "this Vault node has not caught up yet (HTTP 412)", ""};
    case 413:
      return {ErrorKind::kRejected, "the request is too large (HTTP 413)",
              "see max_request_size in Vault's configuration, or the limit of a proxy between"};
    case 429:
      return {ErrorKind::kRateLimited, "too many requests (HTTP 429)",
              "lower the rate with VAULT_RATE_LIMIT, or raise Vault's quota"};
    default:
      break;
  }
  if (http_status >= 500 || http_status == 472 || http_status == 473) {
    return ServerFault(http_status, body);
  }
  if (http_status >= 300 && http_status < 400) {
    return {ErrorKind::kRejected, absl::StrFormat("redirected (HTTP %d)", http_status),
            "set the address to the one that Vault redirects to"};
  }
  return {ErrorKind::kRejected, absl::StrFormat("refused (HTTP %d)", http_status), ""};
}

}  // namespace

Status InterpretError(const Operation& operation, const HttpResponse& response) {
  if (response.status == 400 && Contains(response.body.Reveal(), kPlainHttpToTls)) {
    return WithHttpStatus(
        MakeError(ErrorKind::kTls,
                  operation.what + ": the server speaks HTTPS, and was asked in plain HTTP",
                  "write https:// in the address"),
        response.status);
  }
  const ErrorBody body = ReadBody(response);
  Meaning meaning = MeaningOf(operation, response.status, body);
  std::string message = operation.what + ": " + meaning.cause;
  if (!body.errors.empty()) {
    if (!meaning.says_it_all && body.errors != meaning.cause) {
      message.append(" (Vault says: ").append(body.errors).append(")");
    }
  } else if (!body.is_vaults && !body.is_empty) {
    // Whoever wrote such a page is not trusted with a place in our messages.
    message.append(" (the answer is not Vault's own: a proxy, or another server)");
    if (meaning.hint.empty()) meaning.hint = "check the address, and what stands before Vault";
  }
  return WithHttpStatus(MakeError(meaning.kind, message, meaning.hint), response.status);
}

std::string ServerErrors(const HttpResponse& response) { return ReadBody(response).errors; }

namespace internal {

StatusOr<Json> ParseObject(const Operation& operation, const HttpResponse& response) {
  if (!IsSuccess(response)) return InterpretError(operation, response);
  auto body = Json::Parse(response.body.Reveal());
  if (body.ok() && body->is_object()) return body;
  const std::string reason =
      body.ok() ? "not a JSON object" : std::string(MessageOf(body.status()));
  return WithHttpStatus(MakeError(ErrorKind::kProtocol,
                                  absl::StrFormat("%s: the answer (HTTP %d) is not Vault's: %s",
                                                  operation.what, response.status, reason),
                                  "check that the address is Vault's own"),
                        response.status);
}

Status Malformed(std::string_view what, std::string_view missing) {
  return MakeError(
      ErrorKind::kProtocol,
      absl::StrFormat("%s: the answer has no %s", std::string(what), std::string(missing)),
      "check that the address is Vault's own");
}

bool IsLastingRefusal(const HttpResponse& response) {
  return response.status == 500 && BlamesTheRequest(ServerErrors(response));
}

bool SaysAbsent(const HttpResponse& response) {
  if (response.status != 404) return false;
  const ErrorBody body = ReadBody(response);
  if (!body.is_vaults || !body.errors.empty()) return false;
  for (const std::string& warning : body.warnings) {
    if (Contains(warning, "versioned K/V")) return false;
  }
  return true;
}

}  // namespace internal
}  // namespace vaultcore
