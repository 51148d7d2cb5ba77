// ForEachYamlDocument on any bytes: an error with a position in the text, or trees within the
// limits.

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "fuzz/check.h"
#include "vaultcore/config/yaml.h"

namespace {

using vaultcore::Check;
using vaultcore::YamlLimits;
using vaultcore::YamlNode;

// The number of nodes, keys included.
size_t Walk(const YamlNode& node, int depth, const YamlLimits& limits) {
  Check(depth <= limits.max_depth, "no deeper than allowed");
  Check(node.text().find('\0') == std::string::npos, "no NUL in a value");
  size_t count = 1;
  for (const YamlNode& item : node.items()) count += Walk(item, depth + 1, limits);
  std::set<std::string_view> keys;
  for (const YamlNode::Member& member : node.members()) {
    Check(member.line > 0 && member.column > 0, "a key has a position");
    Check(keys.insert(member.key).second, "no key twice");
    Check(&node[member.key] == &member.value, "a key leads to its value");
    count += 1 + Walk(member.value, depth + 1, limits);
  }
  return count;
}

bool Same(const YamlNode& a, const YamlNode& b) {
  return a.type() == b.type() && a.text() == b.text() &&
         std::equal(a.items().begin(), a.items().end(), b.items().begin(), b.items().end(), Same) &&
         std::equal(a.members().begin(), a.members().end(), b.members().begin(), b.members().end(),
                    [](const YamlNode::Member& x, const YamlNode::Member& y) {
                      return x.key == y.key && Same(x.value, y.value);
                    });
}

void TryWith(std::string_view text, const YamlLimits& limits) {
  int documents = 0;
  const vaultcore::Status status =
      vaultcore::ForEachYamlDocument(text, "f", limits, [&](YamlNode document) {
        ++documents;
        Check(Walk(document, 1, limits) <= limits.max_nodes, "no more nodes than allowed");
        YamlNode merged;
        merged.MergeFrom(document);
        Check(Same(merged, document), "merging into nothing is a copy");
        return absl::OkStatus();
      });
  vaultcore::CheckError(status);
  if (!status.ok()) {
    // "f:LINE:COLUMN: reason", or "f: reason" where the text as a whole is refused.
    const std::string message(vaultcore::MessageOf(status));
    Check(message.rfind("f:", 0) == 0, "an error names its source");
    const size_t newlines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
    if (message[2] != ' ') {
      const size_t line = static_cast<size_t>(std::stoul(message.substr(2)));
      Check(line >= 1 && line <= newlines + 1, "an error is inside of the text");
    }
  }
  const auto only = vaultcore::ParseYaml(text, "f", limits);
  Check(status.ok() || !only.ok(), "both readers see the same errors");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  YamlLimits limits;
  limits.max_depth = 12;
  limits.max_nodes = 5000;
  TryWith(text, limits);
  limits.allow_duplicate_keys = true;
  limits.allow_aliases = false;
  TryWith(text, limits);
  return 0;
}
