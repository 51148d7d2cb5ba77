#include "vaultcore/base/encoding.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace vaultcore {
namespace {

constexpr std::string_view kStandardAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

using DecodeTable = std::array<uint8_t, 256>;
constexpr uint8_t kNoDigit = 0xFF;

constexpr DecodeTable MakeDecodeTable(std::string_view alphabet) {
  DecodeTable table{};
  for (auto& value : table) value = kNoDigit;
  for (size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<uint8_t>(i);
  }
  return table;
}

constexpr DecodeTable kStandardTable = MakeDecodeTable(kStandardAlphabet);
constexpr DecodeTable kUrlTable = MakeDecodeTable(kUrlAlphabet);

bool IsWhitespace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::optional<Secret> Decode(std::string_view text, const DecodeTable& table, bool need_padding,
                             bool allow_whitespace) {
  SecretBuilder out;
  out.Reserve(text.size() / 4 * 3 + 3);
  uint32_t bits = 0;
  size_t digits = 0;
  size_t padding = 0;
  for (const char c : text) {
    if (allow_whitespace && IsWhitespace(c)) continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const uint8_t value = table[static_cast<unsigned char>(c)];
    if (value == kNoDigit || padding > 0) return std::nullopt;
    bits = (bits << 6) | value;
    if (++digits % 4 == 0) {
      out.Append(static_cast<char>(bits >> 16));
      out.Append(static_cast<char>(bits >> 8));
      out.Append(static_cast<char>(bits));
      bits = 0;
    }
  }
  const size_t rest = digits % 4;
  const size_t wanted_padding = (4 - rest) % 4;
  if (rest == 1 || (padding != wanted_padding && (need_padding || padding != 0))) {
    return std::nullopt;
  }
  // Canonical: the bits that do not fill a byte are zero.
  if (rest == 2) {
    if ((bits & 0x0F) != 0) return std::nullopt;
    out.Append(static_cast<char>(bits >> 4));
  } else if (rest == 3) {
    if ((bits & 0x03) != 0) return std::nullopt;
    out.Append(static_cast<char>(bits >> 10));
    out.Append(static_cast<char>(bits >> 2));
  }
  return out.Take();
}

bool IsUnreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Edit distance in which case does not count and swapped neighbours are one edit (optimal string
// alignment).
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_previous(b.size() + 1);
  std::vector<size_t> previous(b.size() + 1);
  std::vector<size_t> current(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = ToLower(a[i - 1]) == ToLower(b[j - 1]);
      current[j] =
          std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && ToLower(a[i - 1]) == ToLower(b[j - 2]) &&
          ToLower(a[i - 2]) == ToLower(b[j - 1])) {
        current[j] = std::min(current[j], before_previous[j - 2] + 1);
      }
    }
    std::swap(before_previous, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

}  // namespace

Secret Base64Encode(std::string_view bytes) {
  SecretBuilder out;
  out.Reserve((bytes.size() + 2) / 3 * 4);
  const auto byte = [bytes](size_t i) {
    return i < bytes.size() ? static_cast<uint32_t>(static_cast<unsigned char>(bytes[i])) : 0u;
  };
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const uint32_t bits = (byte(i) << 16) | (byte(i + 1) << 8) | byte(i + 2);
    char quad[4];
    for (size_t digit = 0; digit < 4; ++digit) {
      quad[digit] =
          i + digit > bytes.size() ? '=' : kStandardAlphabet[(bits >> (18 - 6 * digit)) & 63];
    }
    out.Append(std::string_view(quad, 4));
    WipeMemory(quad, sizeof quad);
  }
  return out.Take();
}

std::optional<Secret> Base64Decode(std::string_view text, bool allow_whitespace) {
  return Decode(text, kStandardTable, /*need_padding=*/true, allow_whitespace);
}

std::optional<Secret> Base64UrlDecode(std::string_view text) {
  return Decode(text, kUrlTable, /*need_padding=*/false, /*allow_whitespace=*/false);
}

std::string HexEncode(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

std::string PercentEncode(std::string_view text, bool keep_slash) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (IsUnreserved(c) || (keep_slash && c == '/')) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

bool IsValidUtf8(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = p + text.size();
  while (p != end) {
    if (*p < 0x80) {
      ++p;
      continue;
    }
    // The lead byte fixes the length and the range of the second byte, which is where overlong
    // forms, surrogates and values above U+10FFFF show.
    int more = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    if (*p >= 0xC2 && *p <= 0xDF) {
      more = 1;
    } else if (*p >= 0xE0 && *p <= 0xEF) {
      more = 2;
      if (*p == 0xE0) low = 0xA0;
      if (*p == 0xED) high = 0x9F;
    } else if (*p >= 0xF0 && *p <= 0xF4) {
      more = 3;
      if (*p == 0xF0) low = 0x90;
      if (*p == 0xF4) high = 0x8F;
    } else {
      return false;
    }
    if (end - p <= more || p[1] < low || p[1] > high) return false;
    for (int i = 2; i <= more; ++i) {
      if ((p[i] & 0xC0) != 0x80) return false;
    }
    p += more + 1;
  }
  return true;
}

std::string ClosestMatch(std::string_view word, const std::vector<std::string>& candidates) {
  std::string closest;
  size_t closest_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const size_t longer = std::max(word.size(), candidate.size());
    const size_t shorter = std::min(word.size(), candidate.size());
    if (longer - shorter >= closest_distance) continue;
    const size_t distance = EditDistance(word, candidate);
    // A word all of whose letters would have to change is not near.
    if (distance < closest_distance && distance < longer) {
      closest = candidate;
      closest_distance = distance;
    }
  }
  return closest;
}

}  // namespace vaultcore
