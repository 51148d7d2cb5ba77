// YAML from outside, made safe: a tree of our own, built with limits and with positions, one
// document at a time.
//
// yaml-cpp accepts duplicate keys, cyclic aliases and trees that explode when walked; this reader
// refuses them with file:line:column (the column counts bytes). So it does with keys that are not
// scalars, with the tag !!binary, and with bytes that YAML 1.2 does not allow in a text: invalid
// UTF-8 and control characters. Error messages never hold text of the document, because it may be a
// secret. Scalars are wiped when a node is destroyed (yaml-cpp's own buffers are out of reach).
// Blocking, pure; thread-safe.

#ifndef VAULTCORE_CONFIG_YAML_H_
#define VAULTCORE_CONFIG_YAML_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vaultcore/base/status.h"

namespace vaultcore {

struct YamlLimits {
  int max_depth = 64;
  size_t max_nodes = 2'000'000;  // per document, keys included, aliases expanded
  size_t max_bytes = 64u << 20;  // per text
  bool allow_aliases = true;     // anchors and aliases are expanded by copying, within max_nodes
  bool allow_duplicate_keys = false;  // true: the last wins, as Kubernetes and Helm do
};

class YamlNode {
 public:
  enum class Type { kNull, kScalar, kSequence, kMap };
  struct Member;

  YamlNode() = default;
  ~YamlNode();
  YamlNode(const YamlNode&) = default;
  YamlNode(YamlNode&&) noexcept = default;
  YamlNode& operator=(YamlNode other) noexcept;

  // kNull: nothing, "~" or an unquoted "null".
  Type type() const { return type_; }
  bool is_null() const { return type_ == Type::kNull; }
  bool is_scalar() const { return type_ == Type::kScalar; }
  bool is_sequence() const { return type_ == Type::kSequence; }
  bool is_map() const { return type_ == Type::kMap; }

  // A scalar's text after quotes and escapes; empty for other types.
  const std::string& text() const { return text_; }
  // True for a scalar that was written without quotes: only those can be numbers or booleans.
  bool plain() const { return plain_; }
  // "true"/"false" in any case, quoted or not, and unquoted yes/no/on/off; nullopt for anything
  // else.
  std::optional<bool> AsBool() const;

  const std::vector<YamlNode>& items() const { return items_; }
  // In the order of the text. A merge key ("<<: *defaults") is replaced by the members it brings,
  // which come last; a key that the map has itself wins over them.
  const std::vector<Member>& members() const { return members_; }
  // A member, or a static null node: chains read safely, as in node["a"]["b"].
  const YamlNode& operator[](std::string_view key) const;
  bool Contains(std::string_view key) const;
  // The node at a dotted path, "global.databases.postgres"; a static null node when something on
  // the way is missing, this node for an empty path.
  const YamlNode& At(std::string_view dotted_path) const;

  // 1-based; 0 for a node that was not parsed.
  int line() const { return line_; }
  int column() const { return column_; }

  // Helm's merge of values: maps are merged key by key, a null in `over` removes the key, anything
  // else is replaced by `over`.
  void MergeFrom(const YamlNode& over);

 private:
  friend class YamlBuilder;
  Type type_ = Type::kNull;
  bool plain_ = false;
  int line_ = 0;
  int column_ = 0;
  std::string text_;
  std::vector<YamlNode> items_;
  std::vector<Member> members_;
};

struct YamlNode::Member {
  std::string key;
  int line = 0;  // of the key
  int column = 0;
  YamlNode value;
};

// Calls `on_document` for each document of `text`, in order; empty documents are passed as null
// nodes. Stops at the first error: kUsage, "`source_name`:3:14: ...", or what `on_document`
// returns.
Status ForEachYamlDocument(std::string_view text, std::string_view source_name,
                           const YamlLimits& limits,
                           const std::function<Status(YamlNode document)>& on_document);

// The only document of `text`; a null node for an empty text. Errors: as above, and kUsage for a
// second document; empty ones do not count.
StatusOr<YamlNode> ParseYaml(std::string_view text, std::string_view source_name,
                             const YamlLimits& limits = {});

}  // namespace vaultcore

#endif  // VAULTCORE_CONFIG_YAML_H_
