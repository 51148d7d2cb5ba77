#include "vaultcore/api/json.h"

#include <absl/strings/str_format.h>

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <limits>
#include <numeric>

namespace vaultcore {
namespace {

constexpr size_t kMaxDepth = 64;
// Boost.JSON unescapes strings in a buffer of this size on the stack.
constexpr size_t kParserStackBytes = BOOST_JSON_STACK_BUFFER_SIZE;

// Indices of an object's members, sorted by key; of equal keys the last inserted comes last.
std::vector<size_t> SortedByKey(const std::vector<Json::Member>& members) {
  std::vector<size_t> order(members.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&members](size_t a, size_t b) {
    const int compared = members[a].first.compare(members[b].first);
    return compared != 0 ? compared < 0 : a < b;
  });
  return order;
}

// Keeps the last of members with equal keys. In n log n: the text is a stranger's.
void DropOverwrittenMembers(std::vector<Json::Member>& members) {
  const std::vector<size_t> order = SortedByKey(members);
  std::vector<bool> overwritten(members.size(), false);
  bool any = false;
  for (size_t i = 1; i < order.size(); ++i) {
    if (members[order[i - 1]].first == members[order[i]].first) {
      overwritten[order[i - 1]] = true;
      any = true;
    }
  }
  if (!any) return;
  std::vector<Json::Member> kept;
  for (size_t i = 0; i < members.size(); ++i) {
    if (!overwritten[i]) kept.push_back(std::move(members[i]));
  }
  members = std::move(kept);
}

void AppendQuoted(std::string_view text, SecretBuilder& out) {
  constexpr char kDigits[] = "0123456789abcdef";
  out.Append('"');
  size_t plain = 0;  // start of what needs no escape
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    out.Append(text.substr(plain, i - plain));
    plain = i + 1;
    switch (text[i]) {
      case '"':
        out.Append("\\\"");
        break;
      case '\\':
        out.Append("\\\\");
        break;
      case '\b':
        out.Append("\\b");
        break;
      case '\f':
        out.Append("\\f");
        break;
      case '\n':
        out.Append("\\n");
        break;
      case '\r':
        out.Append("\\r");
        break;
      case '\t':
        out.Append("\\t");
        break;
      default:
        out.Append("\\u00");
        out.Append(kDigits[byte >> 4]);
        out.Append(kDigits[byte & 15]);
    }
  }
  out.Append(text.substr(plain));
  out.Append('"');
}

// Writes a value, compact or over several lines; `indent` is the column of the line it is on.
class Writer {
 public:
  Writer(bool pretty, SecretBuilder& out) : pretty_(pretty), out_(out) {}

  void Write(const Json& value, size_t indent) {
    switch (value.type()) {
      case Json::Type::kNull:
        out_.Append("null");
        break;
      case Json::Type::kBool:
        out_.Append(value.AsBool() ? "true" : "false");
        break;
      case Json::Type::kNumber:
        out_.Append(value.AsText());
        break;
      case Json::Type::kString:
        AppendQuoted(value.AsText(), out_);
        break;
      case Json::Type::kArray: {
        out_.Append('[');
        bool first = true;
        for (const Json& item : value.items()) {
          BeginItem(first, indent + 2);
          Write(item, indent + 2);
          first = false;
        }
        if (!first) NewLine(indent);
        out_.Append(']');
        break;
      }
      case Json::Type::kObject: {
        out_.Append('{');
        bool first = true;
        for (const auto& [key, member] : value.members()) {
          BeginItem(first, indent + 2);
          AppendQuoted(key, out_);
          out_.Append(pretty_ ? ": " : ":");
          Write(member, indent + 2);
          first = false;
        }
        if (!first) NewLine(indent);
        out_.Append('}');
        break;
      }
    }
  }

 private:
  void BeginItem(bool first, size_t indent) {
    if (!first) out_.Append(',');
    NewLine(indent);
  }
  void NewLine(size_t indent) {
    if (!pretty_) return;
    out_.Append('\n');
    out_.Append(std::string(indent, ' '));
  }

  bool pretty_;
  SecretBuilder& out_;
};

// Overwrites the part of the stack where the parser has just unescaped strings: its buffer, and the
// frames between it and the caller.
[[gnu::noinline]] void WipeParserStack() {
  char used[8 * kParserStackBytes];
  WipeMemory(used, sizeof used);
}

}  // namespace

// Receives the parser's events. Its names and signatures are Boost.JSON's.
class JsonBuilder {
 public:
  static constexpr size_t max_object_size = std::numeric_limits<size_t>::max();
  static constexpr size_t max_array_size = std::numeric_limits<size_t>::max();
  static constexpr size_t max_key_size = std::numeric_limits<size_t>::max();
  static constexpr size_t max_string_size = std::numeric_limits<size_t>::max();

  using Error = boost::json::error_code;

  bool on_document_begin(Error&) { return true; }
  bool on_document_end(Error&) { return true; }
  bool on_object_begin(Error&) { return Begin(Json::Type::kObject); }
  bool on_object_end(size_t, Error&) {
    DropOverwrittenMembers(open_.back().members_);
    return End();
  }
  bool on_array_begin(Error&) { return Begin(Json::Type::kArray); }
  bool on_array_end(size_t, Error&) { return End(); }

  bool on_key_part(boost::json::string_view part, size_t, Error&) {
    key_.append(part.data(), part.size());
    return true;
  }
  bool on_key(boost::json::string_view rest, size_t, Error&) {
    key_.append(rest.data(), rest.size());
    open_.back().members_.emplace_back(std::move(key_), Json());
    key_.clear();
    return true;
  }
  bool on_string_part(boost::json::string_view part, size_t, Error&) { return Collect(part); }
  bool on_string(boost::json::string_view rest, size_t, Error&) {
    return AddText(Json::Type::kString, rest);
  }
  // A number arrives whole, because the text is parsed in one piece; only its text is kept.
  bool on_number_part(boost::json::string_view part, Error&) { return Collect(part); }
  bool on_int64(int64_t, boost::json::string_view rest, Error&) {
    return AddText(Json::Type::kNumber, rest);
  }
  bool on_uint64(uint64_t, boost::json::string_view rest, Error&) {
    return AddText(Json::Type::kNumber, rest);
  }
  bool on_double(double, boost::json::string_view rest, Error&) {
    return AddText(Json::Type::kNumber, rest);
  }
  bool on_bool(bool value, Error&) { return Add(Json::Bool(value)); }
  bool on_null(Error&) { return Add(Json()); }
  bool on_comment_part(boost::json::string_view, Error&) { return true; }
  bool on_comment(boost::json::string_view, Error&) { return true; }

  Json Take() { return std::move(root_); }

 private:
  bool Begin(Json::Type type) {
    open_.emplace_back();
    open_.back().type_ = type;
    return true;
  }

  bool End() {
    Json done = std::move(open_.back());
    open_.pop_back();
    return Add(std::move(done));
  }

  bool Add(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().is_array()) {
      open_.back().items_.push_back(std::move(value));
    } else {
      open_.back().members_.back().second = std::move(value);
    }
    return true;
  }

  bool Collect(boost::json::string_view part) {
    text_.Append(std::string_view(part.data(), part.size()));
    return true;
  }

  bool AddText(Json::Type type, boost::json::string_view rest) {
    Json value;
    value.type_ = type;
    if (text_.size() == 0) {
      value.text_ = Secret::CopyOf({rest.data(), rest.size()});
    } else {
      Collect(rest);
      value.text_ = text_.Take();
    }
    return Add(std::move(value));
  }

  Json root_;
  std::vector<Json> open_;  // the containers around the current place, outermost first
  std::string key_;
  SecretBuilder text_;
};

Json Json::Bool(bool value) {
  Json json;
  json.type_ = Type::kBool;
  json.bool_ = value;
  return json;
}

Json Json::Number(int64_t value) { return RawNumber(std::to_string(value)); }

Json Json::RawNumber(std::string_view text) {
  Json json;
  json.type_ = Type::kNumber;
  json.text_ = Secret::CopyOf(text);
  return json;
}

Json Json::String(std::string_view value) { return String(Secret::CopyOf(value)); }

Json Json::String(Secret value) {
  Json json;
  json.type_ = Type::kString;
  json.text_ = std::move(value);
  return json;
}

Json Json::Array() {
  Json json;
  json.type_ = Type::kArray;
  return json;
}

Json Json::Object() {
  Json json;
  json.type_ = Type::kObject;
  return json;
}

Json Json::Clone() const {
  Json copy;
  copy.type_ = type_;
  copy.bool_ = bool_;
  copy.text_ = text_.Clone();
  copy.items_.reserve(items_.size());
  for (const Json& item : items_) copy.items_.push_back(item.Clone());
  copy.members_.reserve(members_.size());
  for (const auto& [key, value] : members_) copy.members_.emplace_back(key, value.Clone());
  return copy;
}

StatusOr<Json> Json::Parse(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::json::basic_parser<JsonBuilder> parser(options);
  boost::json::error_code error;
  const size_t consumed = parser.write_some(/*more=*/false, text.data(), text.size(), error);
  WipeParserStack();
  if (!error && consumed < text.size()) error = boost::json::error::extra_data;
  if (error) {
    return MakeError(ErrorKind::kProtocol,
                     absl::StrFormat("not valid JSON: %s at byte %d", error.message(), consumed));
  }
  return parser.handler().Take();
}

bool Json::AsBool(bool fallback) const { return type_ == Type::kBool ? bool_ : fallback; }

int64_t Json::AsInt(int64_t fallback) const {
  if (type_ != Type::kNumber) return fallback;
  const std::string_view text = text_.Reveal();
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : fallback;
}

std::string_view Json::AsText() const { return text_.Reveal(); }

const Json& Json::operator[](std::string_view key) const {
  static const Json kNull;
  for (const auto& [name, value] : members_) {
    if (name == key) return value;
  }
  return kNull;
}

bool Json::Contains(std::string_view key) const {
  return std::any_of(members_.begin(), members_.end(),
                     [key](const Member& member) { return member.first == key; });
}

Json& Json::Set(std::string_view key, Json value) {
  for (auto& [name, old] : members_) {
    if (name == key) {
      old = std::move(value);
      return *this;
    }
  }
  members_.emplace_back(std::string(key), std::move(value));
  return *this;
}

Json& Json::Append(Json value) {
  items_.push_back(std::move(value));
  return *this;
}

Secret Json::Dump() const {
  SecretBuilder out;
  Writer(/*pretty=*/false, out).Write(*this, 0);
  return out.Take();
}

Secret Json::DumpPretty() const {
  SecretBuilder out;
  Writer(/*pretty=*/true, out).Write(*this, 0);
  out.Append('\n');
  return out.Take();
}

bool operator==(const Json& a, const Json& b) {
  if (a.type_ != b.type_ || a.bool_ != b.bool_ || !(a.text_ == b.text_) || a.items_ != b.items_ ||
      a.members_.size() != b.members_.size()) {
    return false;
  }
  const std::vector<size_t> order_a = SortedByKey(a.members_);
  const std::vector<size_t> order_b = SortedByKey(b.members_);
  for (size_t i = 0; i < order_a.size(); ++i) {
    const Json::Member& member_a = a.members_[order_a[i]];
    const Json::Member& member_b = b.members_[order_b[i]];
    if (member_a.first != member_b.first || !(member_a.second == member_b.second)) return false;
  }
  return true;
}

}  // namespace vaultcore
