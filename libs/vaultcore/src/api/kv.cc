#include "vaultcore/api/kv.h"

#include <absl/strings/str_format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "api/answer.h"
#include "vaultcore/api/errors.h"
#include "vaultcore/api/sys.h"
#include "vaultcore/base/encoding.h"

namespace vaultcore {
namespace {

using internal::Malformed;
using internal::ParseObject;
using internal::SaysAbsent;
using internal::Text;

std::string NameOf(const KvMount& mount, const SecretPath& path) {
  return SecretRef{mount.mount, path}.ToString();
}

uint64_t VersionOf(const Json& value) {
  const int64_t version = value.AsInt(-1);
  return version > 0 ? static_cast<uint64_t>(version) : 0;
}

std::map<std::string, std::string> TextMap(const Json& object) {
  std::map<std::string, std::string> map;
  for (const auto& [key, value] : object.members()) map.emplace(key, Text(value));
  return map;
}

KvData DataOf(const Json& object) {
  KvData data;
  for (const auto& [key, value] : object.members()) data.emplace(key, value.Clone());
  return data;
}

Json ObjectOf(const KvData& data) {
  Json object = Json::Object();
  for (const auto& [key, value] : data) object.Set(key, value.Clone());
  return object;
}

// `value` as KV v2 answers it: v2 keeps doubles, and Go's encoding/json writes them with the fewest
// digits that are the same double, with an exponent where they are very small or large.
Secret GoNumber(double value) {
  char shortest[32];  // "-1.2345678901234567e-308"
  const auto [end, error] =
      std::to_chars(shortest, shortest + sizeof shortest, value, std::chars_format::scientific);
  const char* const e = std::find(shortest, end, 'e');
  int exponent = 0;
  std::from_chars(e + (e[1] == '+' ? 2 : 1), end, exponent);
  std::string_view mantissa(shortest, static_cast<size_t>(e - shortest));

  SecretBuilder text;
  if (mantissa.front() == '-') {
    text.Append('-');
    mantissa.remove_prefix(1);
  }
  const double size = std::abs(value);
  if (size != 0 && (size < 1e-6 || size >= 1e21)) {
    text.Append(mantissa);
    text.Append(exponent < 0 ? "e" : "e+");
    text.Append(std::to_string(exponent));
  } else {
    const char* digit = mantissa.data();
    const auto next_digit = [&digit, last = mantissa.data() + mantissa.size()] {
      if (digit != last && *digit == '.') ++digit;
      return digit != last ? *digit++ : '0';
    };
    for (int place = std::max(exponent, 0); place >= 0; --place) {
      text.Append(place > exponent ? '0' : next_digit());
    }
    const int last_place = exponent - static_cast<int>(mantissa.size() - (mantissa.size() > 1)) + 1;
    for (int place = -1; place >= last_place; --place) {
      if (place == -1) text.Append('.');
      text.Append(place > exponent ? '0' : next_digit());
    }
  }
  WipeMemory(shortest, sizeof shortest);
  return text.Take();
}

// True when a number of this text is read back from KV v2 as it was written. What was read from v2
// therefore always survives.
bool SurvivesAsDouble(std::string_view number) {
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc() || end != number.data() + number.size()) return false;
  return GoNumber(value).Reveal() == number;
}

// Why the mount would not keep `value` as it is, looking at any depth; empty when it would.
std::string_view Obstacle(KvVersion version, const Json& value) {
  constexpr std::string_view kNotUtf8 = "is not valid UTF-8";
  if (value.is_string() && !IsValidUtf8(value.AsText())) return kNotUtf8;
  if (version == KvVersion::kV2 && value.type() == Json::Type::kNumber &&
      !SurvivesAsDouble(value.AsText())) {
    return "is a number that KV version 2 would round or rewrite";
  }
  for (const Json& item : value.items()) {
    if (const auto obstacle = Obstacle(version, item); !obstacle.empty()) return obstacle;
  }
  for (const auto& [key, member] : value.members()) {
    if (!IsValidUtf8(key)) return kNotUtf8;
    if (const auto obstacle = Obstacle(version, member); !obstacle.empty()) return obstacle;
  }
  return {};
}

}  // namespace

KvData CloneKvData(const KvData& data) {
  KvData copy;
  for (const auto& [key, value] : data) copy.emplace_hint(copy.end(), key, value.Clone());
  return copy;
}

Secret KvText(const Json& value) {
  switch (value.type()) {
    case Json::Type::kNull:
      return Secret();
    case Json::Type::kNumber:
    case Json::Type::kString:
      return Secret::CopyOf(value.AsText());
    case Json::Type::kBool:
    case Json::Type::kArray:
    case Json::Type::kObject:
      break;
  }
  return value.Dump();
}

Status CheckKvData(const KvMount& mount, const KvData& data) {
  for (const auto& [key, value] : data) {
    if (!IsValidUtf8(key)) {
      return MakeError(ErrorKind::kUsage, "a key of the entry is not valid UTF-8",
                       "rename the key");
    }
    const std::string_view obstacle = Obstacle(mount.version, value);
    if (obstacle.empty()) continue;
    return MakeError(ErrorKind::kUsage,
                     absl::StrFormat("the value of %s %s, so Vault would not keep it unchanged",
                                     Printable(key, 100), std::string(obstacle)),
                     "write a number as a string; encode binary content as base64, under a key "
                     "whose reader decodes it");
  }
  return absl::OkStatus();
}

HttpRequest BuildKvRead(const KvMount& mount, const SecretPath& path) {
  return HttpRequest(Method::kGet, KvDataPath(mount, path));
}

HttpRequest BuildKvWrite(const KvMount& mount, const SecretPath& path, const KvData& data,
                         std::optional<CheckAndSet> cas) {
  Json body = ObjectOf(data);
  if (mount.version == KvVersion::kV2) {
    Json options = Json::Object();
    if (cas) options.Set("cas", Json::RawNumber(std::to_string(cas->version)));
    Json versioned = Json::Object();
    versioned.Set("data", std::move(body)).Set("options", std::move(options));
    body = std::move(versioned);
  }
  return HttpRequest(Method::kPut, KvDataPath(mount, path), body.Dump());
}

HttpRequest BuildKvList(const KvMount& mount, const SecretPath& folder) {
  HttpRequest request(Method::kGet, KvListPath(mount, folder));
  request.AddQuery("list", "true");
  return request;
}

HttpRequest BuildKvWriteMetadata(const KvMount& mount, const SecretPath& path,
                                 const std::map<std::string, std::string>& custom_metadata) {
  Json custom = Json::Object();
  for (const auto& [key, value] : custom_metadata) custom.Set(key, Json::String(value));
  Json body = Json::Object();
  body.Set("custom_metadata", std::move(custom));
  HttpRequest request(Method::kPut, KvMetadataPath(mount, path), body.Dump());
  request.set_idempotent(true);
  return request;
}

HttpRequest BuildKvReadMetadata(const KvMount& mount, const SecretPath& path) {
  return HttpRequest(Method::kGet, KvMetadataPath(mount, path));
}

StatusOr<KvEntry> ParseKvRead(const KvMount& mount, const SecretPath& path,
                              const HttpResponse& response) {
  const Operation operation{"read " + NameOf(mount, path), KvDataPath(mount, path), "read"};
  KvEntry entry;
  if (response.status == 404) {
    auto body = Json::Parse(response.body.Reveal());
    if (body.ok() && mount.version == KvVersion::kV2 && (*body)["data"]["metadata"].is_object()) {
      const Json& metadata = (*body)["data"]["metadata"];
      entry.state =
          metadata["destroyed"].AsBool() ? KvEntry::State::kDestroyed : KvEntry::State::kDeleted;
      entry.version = VersionOf(metadata["version"]);
      entry.created_time = Text(metadata["created_time"]);
      entry.deletion_time = Text(metadata["deletion_time"]);
      entry.custom_metadata = TextMap(metadata["custom_metadata"]);
      entry.warnings = ParseWarnings(*body);
      return entry;
    }
    if (SaysAbsent(response)) {
      if (body.ok()) entry.warnings = ParseWarnings(*body);
      return entry;
    }
    return InterpretError(operation, response);
  }
  VC_ASSIGN_OR_RETURN(const Json body, ParseObject(operation, response));
  entry.state = KvEntry::State::kPresent;
  entry.warnings = ParseWarnings(body);
  const Json& data = body["data"];
  if (mount.version == KvVersion::kV1) {
    if (!data.is_object()) return Malformed(operation.what, "data");
    entry.data = DataOf(data);
    return entry;
  }
  const Json& metadata = data["metadata"];
  if (!data["data"].is_object() || !metadata.is_object()) {
    return Malformed(operation.what, "data.data and data.metadata");
  }
  entry.data = DataOf(data["data"]);
  entry.version = VersionOf(metadata["version"]);
  entry.created_time = Text(metadata["created_time"]);
  entry.deletion_time = Text(metadata["deletion_time"]);
  entry.custom_metadata = TextMap(metadata["custom_metadata"]);
  return entry;
}

StatusOr<uint64_t> ParseKvWrite(const KvMount& mount, const SecretPath& path,
                                const HttpResponse& response) {
  const Operation operation{"write " + NameOf(mount, path), KvDataPath(mount, path),
                            "create and update"};
  if (response.status == 400) {
    const std::string errors = ServerErrors(response);
    if (errors.find("did not match the current version") != std::string::npos) {
      return WithHttpStatus(
          MakeError(ErrorKind::kConflict,
                    operation.what + ": the entry was changed by somebody else in the meantime "
                                     "(check-and-set)",
                    "run again: what is there now is read anew"),
          response.status);
    }
    if (errors.find("check-and-set parameter required") != std::string::npos) {
      return WithHttpStatus(
          MakeError(ErrorKind::kRejected,
                    operation.what + ": the mount or the entry demands check-and-set",
                    "write with the version that was read (cas)"),
          response.status);
    }
  }
  if (!internal::IsSuccess(response)) return InterpretError(operation, response);
  if (mount.version == KvVersion::kV1) return uint64_t{0};
  VC_ASSIGN_OR_RETURN(const Json body, ParseObject(operation, response));
  const uint64_t version = VersionOf(body["data"]["version"]);
  if (version == 0) return Malformed(operation.what, "data.version");
  return version;
}

Status ParseKvWriteMetadata(const KvMount& mount, const SecretPath& path,
                            const HttpResponse& response) {
  if (internal::IsSuccess(response)) return absl::OkStatus();
  const Operation operation{"write the metadata of " + NameOf(mount, path),
                            KvMetadataPath(mount, path), "create and update"};
  return InterpretError(operation, response);
}

StatusOr<std::vector<std::string>> ParseKvList(const KvMount& mount, const SecretPath& folder,
                                               const HttpResponse& response) {
  const Operation operation{"list " + NameOf(mount, folder), KvListPath(mount, folder), "list"};
  std::vector<std::string> names;
  if (SaysAbsent(response)) return names;
  VC_ASSIGN_OR_RETURN(const Json body, ParseObject(operation, response));
  const Json& keys = body["data"]["keys"];
  if (!keys.is_array()) return Malformed(operation.what, "data.keys");
  for (const Json& key : keys.items()) names.push_back(Text(key));
  return names;
}

StatusOr<std::optional<KvEntryMetadata>> ParseKvReadMetadata(const KvMount& mount,
                                                             const SecretPath& path,
                                                             const HttpResponse& response) {
  const Operation operation{"read the metadata of " + NameOf(mount, path),
                            KvMetadataPath(mount, path), "read"};
  std::optional<KvEntryMetadata> metadata;
  if (SaysAbsent(response)) return metadata;
  VC_ASSIGN_OR_RETURN(const Json body, ParseObject(operation, response));
  const Json& data = body["data"];
  if (!data.Contains("current_version")) return Malformed(operation.what, "data.current_version");
  metadata.emplace();
  metadata->current_version = VersionOf(data["current_version"]);
  metadata->cas_required = data["cas_required"].AsBool();
  metadata->max_versions = data["max_versions"].AsInt();
  metadata->custom_metadata = TextMap(data["custom_metadata"]);
  return metadata;
}

}  // namespace vaultcore
