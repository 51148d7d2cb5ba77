// The tree: access and Helm's merge. What builds it is in yaml.cc.

#include <absl/strings/ascii.h>

#include <algorithm>
#include <utility>

#include "vaultcore/base/secret.h"
#include "vaultcore/config/yaml.h"

namespace vaultcore {
namespace {

const YamlNode& NullNode() {
  static const YamlNode* const node = new YamlNode();
  return *node;
}

}  // namespace

YamlNode::~YamlNode() {
  // All of the buffer: a string that was moved away leaves its bytes behind when they were short.
  text_.resize(text_.capacity());
  WipeMemory(text_.data(), text_.size());
}

YamlNode& YamlNode::operator=(YamlNode other) noexcept {
  // The old content goes into `other` and is wiped with it.
  std::swap(type_, other.type_);
  std::swap(plain_, other.plain_);
  std::swap(line_, other.line_);
  std::swap(column_, other.column_);
  text_.swap(other.text_);
  items_.swap(other.items_);
  members_.swap(other.members_);
  return *this;
}

std::optional<bool> YamlNode::AsBool() const {
  if (type_ != Type::kScalar || text_.size() > 5) return std::nullopt;
  const std::string lower = absl::AsciiStrToLower(text_);
  if (lower == "true") return true;
  if (lower == "false") return false;
  if (!plain_) return std::nullopt;
  if (lower == "yes" || lower == "on") return true;
  if (lower == "no" || lower == "off") return false;
  return std::nullopt;
}

const YamlNode& YamlNode::operator[](std::string_view key) const {
  for (const Member& member : members_) {
    if (member.key == key) return member.value;
  }
  return NullNode();
}

bool YamlNode::Contains(std::string_view key) const {
  return std::any_of(members_.begin(), members_.end(),
                     [key](const Member& member) { return member.key == key; });
}

const YamlNode& YamlNode::At(std::string_view dotted_path) const {
  if (dotted_path.empty()) return *this;
  const YamlNode* node = this;
  while (true) {
    const size_t dot = dotted_path.find('.');
    node = &(*node)[dotted_path.substr(0, dot)];
    if (dot == std::string_view::npos) return *node;
    dotted_path.remove_prefix(dot + 1);
  }
}

void YamlNode::MergeFrom(const YamlNode& over) {
  if (type_ != Type::kMap || over.type_ != Type::kMap) {
    *this = over;
    return;
  }
  for (const Member& theirs : over.members_) {
    const auto ours = std::find_if(members_.begin(), members_.end(),
                                   [&theirs](const Member& m) { return m.key == theirs.key; });
    if (theirs.value.is_null()) {
      if (ours != members_.end()) members_.erase(ours);
    } else if (ours == members_.end()) {
      members_.push_back(theirs);
    } else {
      ours->value.MergeFrom(theirs.value);
    }
  }
}

}  // namespace vaultcore
