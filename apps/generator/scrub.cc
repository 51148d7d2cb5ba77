#include "generator/scrub.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "vaultcore/base/encoding.h"

namespace generator {
namespace {

constexpr std::string_view kHidden = "[hidden]";
constexpr size_t kShortest = 4;

void ReplaceAll(std::string& text, std::string_view what) {
  for (size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + kHidden.size())) {
    text.replace(at, what.size(), kHidden);
  }
}

// From each `begin` to the `end` after it, or to the end of the text.
void HideBetween(std::string& text, std::string_view begin, std::string_view end) {
  for (size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at + 1)) {
    const size_t close = text.find(end, at + begin.size());
    const size_t stop = close == std::string::npos ? text.size() : close + end.size();
    text.replace(at, stop - at, kHidden);
  }
}

bool IsWordByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalnum(byte) || c == '+' || c == '=' || c == '_' || c == '-' || byte >= 0x80;
}

bool HasVaultPrefix(std::string_view word) {
  constexpr std::array<std::string_view, 6> kPrefixes = {"hvs.", "hvb.", "hvr.", "s.", "b.", "r."};
  return word.size() >= 20 && std::any_of(kPrefixes.begin(), kPrefixes.end(),
                                          [&](auto prefix) { return word.starts_with(prefix); });
}

// Letters of both cases and digits mixed, as words never are and encoded keys always are.
bool LooksRandom(std::string_view word) {
  if (word.size() < 24) return false;
  int changes = 0;
  for (size_t i = 1; i < word.size(); ++i) {
    const auto kind = [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return std::isdigit(byte) ? 0 : std::isupper(byte) ? 1 : std::islower(byte) ? 2 : 3;
    };
    changes += kind(word[i]) != kind(word[i - 1]) ? 1 : 0;
  }
  return changes * 4 >= static_cast<int>(word.size());
}

void HideWords(std::string& text) {
  std::string out;
  size_t at = 0;
  while (at < text.size()) {
    size_t end = at;
    while (end < text.size() && (IsWordByte(text[end]) || text[end] == '.')) ++end;
    const std::string_view word = std::string_view(text).substr(at, end - at);
    if (HasVaultPrefix(word) || LooksRandom(word)) {
      out += kHidden;
    } else {
      out += word;
    }
    if (end < text.size()) out += text[end++];
    at = end;
  }
  text = std::move(out);
}

// scheme://user:password@host
void HideUrlPasswords(std::string& text) {
  for (size_t at = text.find("://"); at != std::string::npos; at = text.find("://", at + 3)) {
    const size_t begin = at + 3;
    const size_t end = std::min(text.find_first_of("/ \t\n\"'", begin), text.size());
    const size_t host = text.rfind('@', end);
    if (host == std::string::npos || host < begin) continue;
    text.replace(begin, host - begin, kHidden);
  }
}

}  // namespace

void Scrubber::Add(std::string_view secret) {
  const auto add = [this](std::string_view text) {
    if (text.size() >= kShortest) secrets_.push_back(MakeValue(text));
  };
  add(secret);
  add(vaultcore::Base64Encode(secret).Reveal());
  for (size_t at = 0; at < secret.size();) {
    const size_t end = std::min(secret.find('\n', at), secret.size());
    if (end - at < secret.size()) add(secret.substr(at, end - at));
    at = end + 1;
  }
  // Longer ones first: a value may hold another one.
  std::sort(secrets_.begin(), secrets_.end(),
            [](const Value& a, const Value& b) { return a->size() > b->size(); });
}

std::string Scrubber::Clean(std::string_view raw) const {
  std::string text;
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n' || (byte >= 0x20 && byte != 0x7F)) text += c;
    if (c == '\t') text += ' ';
  }
  for (const Value& secret : secrets_) ReplaceAll(text, Bytes(secret));
  HideBetween(text, "-----BEGIN ", "-----END ");
  HideUrlPasswords(text);
  HideWords(text);
  return text;
}

}  // namespace generator
