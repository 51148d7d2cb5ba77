// What the YAML reader asks the text itself, where yaml-cpp's events do not tell. Not a public
// header.

#ifndef VAULTCORE_CONFIG_YAML_TEXT_H_
#define VAULTCORE_CONFIG_YAML_TEXT_H_

#include <cstddef>
#include <optional>
#include <string_view>

namespace vaultcore {

struct BadCharacter {
  int line;  // 1-based
  int column;
  std::string_view reason;
  std::string_view hint;
};
// The first place that is not UTF-8, or a control character that YAML 1.2 does not allow.
std::optional<BadCharacter> FindBadCharacter(std::string_view text);

// A text by lines and columns, 0-based as in yaml-cpp's marks. Fast for lines that come in order.
class YamlText {
 public:
  explicit YamlText(std::string_view text);

  // The text from this position on.
  std::string_view From(int line, int column);
  // For a part that From() gave: the last line before it with more than a comment on it.
  std::string_view LineBefore(std::string_view rest) const;
  // For a part that From() gave: the last character before it that is not blank; NUL for none.
  char InkBefore(std::string_view rest) const;

 private:
  std::string_view text_;
  size_t first_ = 0;  // after the byte order mark
  int line_ = 0;
  size_t start_ = 0;  // of line_
};

// True for "---" or "..." as a word of its own.
bool IsDocumentMarker(std::string_view text, std::string_view marker);

// True when the quotes that a scalar begins with, after its anchor and tag, have no end.
bool HasOpenQuotes(std::string_view scalar);

// True when the key that `text` begins with is followed by a colon. A key without quotes is
// `plain_size` long.
bool HasColon(std::string_view text, size_t plain_size);

}  // namespace vaultcore

#endif  // VAULTCORE_CONFIG_YAML_TEXT_H_
