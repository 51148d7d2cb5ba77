#include "config/yaml_text.h"

#include <algorithm>

#include "vaultcore/base/encoding.h"

namespace vaultcore {
namespace {

constexpr std::string_view kBlank = " \t\r\n";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// What YAML 1.2 calls printable, for U+0000 to U+009F. yaml-cpp lets the others through and takes
// U+0004 for the end of the text.
bool IsAllowedControl(std::string_view text, size_t i) {
  const auto byte = static_cast<unsigned char>(text[i]);
  if (byte == 0xC2) {
    const auto next = static_cast<unsigned char>(text[i + 1]);
    return next >= 0xA0 || next == 0x85;
  }
  return (byte >= 0x20 && byte != 0x7F) || byte == '\t' || byte == '\n' || byte == '\r';
}

// The length of the well-formed character at `i`; 0 when there is none.
size_t CharacterLength(std::string_view text, size_t i) {
  for (size_t length = 1; length <= 4 && i + length <= text.size(); ++length) {
    if (IsValidUtf8(text.substr(i, length))) return length;
  }
  return 0;
}

// Where the scalar itself begins, after blanks, comments, anchor and tag.
size_t SkipProperties(std::string_view text) {
  size_t i = std::min(text.find_first_not_of(kBlank), text.size());
  while (i < text.size() && (text[i] == '&' || text[i] == '!' || text[i] == '#')) {
    i = text.find_first_of(text[i] == '#' ? "\n" : kBlank, i);
    i = std::min(text.find_first_not_of(kBlank, i), text.size());
  }
  return i;
}

bool IsQuote(char c) { return c == '\'' || c == '"'; }

// The position after the quotes that open at `i`; nullopt when they have no end.
std::optional<size_t> AfterQuotes(std::string_view text, size_t i) {
  const char quote = text[i];
  for (++i; i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"') {
      ++i;
    } else if (text[i] == quote) {
      const bool doubled = quote == '\'' && i + 1 < text.size() && text[i + 1] == quote;
      if (!doubled) return i + 1;
      ++i;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<BadCharacter> FindBadCharacter(std::string_view text) {
  const bool utf8 = IsValidUtf8(text);
  int line = 1;
  size_t line_start = 0;
  for (size_t i = 0; i < text.size();) {
    // Without invalid UTF-8, the length of a character matters for none of the checks.
    const size_t length = utf8 ? 1 : CharacterLength(text, i);
    const int column = static_cast<int>(i - line_start) + 1;
    if (length == 0) return BadCharacter{line, column, "not valid UTF-8", "save the file as UTF-8"};
    if (!IsAllowedControl(text, i)) {
      return BadCharacter{line, column, "a control character",
                          "in double quotes it can be written as an escape: \"\\x1b\""};
    }
    if (text[i] == '\n') {
      ++line;
      line_start = i + 1;
    }
    i += length;
  }
  return std::nullopt;
}

YamlText::YamlText(std::string_view text) : text_(text) {
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) first_ = kByteOrderMark.size();
  start_ = first_;
}

std::string_view YamlText::From(int line, int column) {
  if (line < line_) {
    line_ = 0;
    start_ = first_;
  }
  for (; line_ < line; ++line_) {
    const size_t newline = text_.find('\n', start_);
    start_ = newline == std::string_view::npos ? text_.size() : newline + 1;
  }
  return text_.substr(std::min(start_ + static_cast<size_t>(std::max(column, 0)), text_.size()));
}

std::string_view YamlText::LineBefore(std::string_view rest) const {
  std::string_view before = text_.substr(0, text_.size() - rest.size());
  while (!before.empty()) {
    if (before.back() == '\n') before.remove_suffix(1);
    const size_t newline = before.rfind('\n');
    const size_t start = newline == std::string_view::npos ? 0 : newline + 1;
    const std::string_view line = before.substr(start);
    const size_t ink = line.find_first_not_of(kBlank);
    if (ink != std::string_view::npos && line[ink] != '#') return line;
    before = before.substr(0, start);
  }
  return {};
}

char YamlText::InkBefore(std::string_view rest) const {
  const size_t ink = text_.substr(0, text_.size() - rest.size()).find_last_not_of(kBlank);
  return ink == std::string_view::npos ? '\0' : text_[ink];
}

bool IsDocumentMarker(std::string_view text, std::string_view marker) {
  return text.substr(0, marker.size()) == marker &&
         (text.size() == marker.size() ||
          kBlank.find(text[marker.size()]) != std::string_view::npos);
}

bool HasOpenQuotes(std::string_view scalar) {
  const size_t begin = SkipProperties(scalar);
  return begin < scalar.size() && IsQuote(scalar[begin]) && !AfterQuotes(scalar, begin);
}

bool HasColon(std::string_view text, size_t plain_size) {
  const size_t begin = SkipProperties(text);
  if (begin == text.size()) return false;
  size_t end = begin + plain_size;
  if (IsQuote(text[begin])) end = AfterQuotes(text, begin).value_or(text.size());
  if (text[begin] == '*') end = text.find_first_of(kBlank, begin);
  const size_t colon = text.find_first_not_of(" \t", end);
  return colon != std::string_view::npos && text[colon] == ':';
}

}  // namespace vaultcore
