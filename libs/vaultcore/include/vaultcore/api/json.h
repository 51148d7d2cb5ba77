// JSON for secrets: every string is a Secret, and a number keeps its text (1.10 stays 1.10, big
// integers lose nothing).
//
// Parsing is strict (RFC 8259, UTF-8), at most 64 levels deep; of duplicate keys the last wins, as
// in Vault. Values are move-only.

#ifndef VAULTCORE_API_JSON_H_
#define VAULTCORE_API_JSON_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vaultcore/base/secret.h"
#include "vaultcore/base/status.h"

namespace vaultcore {

class Json {
 public:
  enum class Type { kNull, kBool, kNumber, kString, kArray, kObject };
  using Member = std::pair<std::string, Json>;

  Json() = default;  // null
  static Json Bool(bool value);
  static Json Number(int64_t value);
  // `text` must be a JSON number; used as it is.
  static Json RawNumber(std::string_view text);
  // JSON text is UTF-8: the value must be too (IsValidUtf8 in base/encoding.h tells). Parse refuses
  // what is not; Dump writes what it is given.
  static Json String(std::string_view value);
  static Json String(Secret value);
  static Json Array();
  static Json Object();
  Json Clone() const;

  // Errors: kProtocol with the byte offset; never any of the text.
  static StatusOr<Json> Parse(std::string_view text);

  Type type() const { return type_; }
  bool is_null() const { return type_ == Type::kNull; }
  bool is_object() const { return type_ == Type::kObject; }
  bool is_array() const { return type_ == Type::kArray; }
  bool is_string() const { return type_ == Type::kString; }

  // Lenient readers: what is asked for, or the fallback when the type is another.
  bool AsBool(bool fallback = false) const;
  int64_t AsInt(int64_t fallback = 0) const;
  // The string's bytes, or a number's text; empty for other types. Valid as long as this value.
  std::string_view AsText() const;

  // An object's member, or null (a static null value when it is missing or this is no object):
  // chains read safely.
  const Json& operator[](std::string_view key) const;
  bool Contains(std::string_view key) const;
  const std::vector<Member>& members() const { return members_; }
  const std::vector<Json>& items() const { return items_; }

  // Adds or replaces a member. This must be an object.
  Json& Set(std::string_view key, Json value);
  // Appends. This must be an array.
  Json& Append(Json value);

  // Compact text, members in insertion order; '<', '>' and '&' are not escaped.
  Secret Dump() const;
  // Two spaces of indent and a line break at the end, for files that people read.
  Secret DumpPretty() const;

  // Numbers are equal when their texts are; objects whatever the order of their members.
  friend bool operator==(const Json& a, const Json& b);

 private:
  friend class JsonBuilder;
  Type type_ = Type::kNull;
  bool bool_ = false;
  Secret text_;  // a string's bytes or a number's text
  std::vector<Json> items_;
  std::vector<Member> members_;
};

}  // namespace vaultcore

#endif  // VAULTCORE_API_JSON_H_
