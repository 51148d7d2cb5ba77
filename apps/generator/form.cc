#include "generator/form.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <climits>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "vaultcore/base/encoding.h"

namespace generator {
namespace {

using vaultcore::ErrorKind;
using vaultcore::MakeError;
using vaultcore::Secret;
using vaultcore::SecretBuilder;
using vaultcore::StatusOr;

constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kHexLower = "0123456789abcdef";
constexpr std::string_view kHexUpper = "0123456789ABCDEF";
constexpr double kMinimumBits = 128;
constexpr size_t kMinimumBytes = 16;
constexpr size_t kDefaultLength = 32;
// Shorter hex is as likely a word or a number.
constexpr size_t kShortestHex = 16;

bool AllOf(std::string_view text, std::string_view alphabet) {
  return !text.empty() && text.find_first_not_of(alphabet) == std::string_view::npos;
}

bool AnyOf(std::string_view text, std::string_view alphabet) {
  return text.find_first_of(alphabet) != std::string_view::npos;
}

std::optional<Form> JudgeHex(std::string_view a, std::string_view b) {
  if (a.size() != b.size() || a.size() < kShortestHex || a.size() % 2 != 0) return std::nullopt;
  for (const std::string_view digits : {kHexLower, kHexUpper}) {
    if (!AllOf(a, digits) || !AllOf(b, digits)) continue;
    // Digits alone are decimal.
    if (AllOf(a, kDigits) && AllOf(b, kDigits)) return std::nullopt;
    return Form{Form::Kind::kHex, std::string(digits), std::max(a.size() / 2, kMinimumBytes), true};
  }
  return std::nullopt;
}

std::optional<Form> JudgeBase64(std::string_view a, std::string_view b) {
  const bool padded = a.ends_with('=') && b.ends_with('=');
  const bool marked = padded || AnyOf(a, "+/") || AnyOf(b, "+/");
  if (!marked || a.size() != b.size() || a.size() < kShortestHex) return std::nullopt;
  std::string complete_a(a);
  std::string complete_b(b);
  if (!padded) {
    for (std::string* each : {&complete_a, &complete_b}) each->append((4 - a.size() % 4) % 4, '=');
  }
  const std::optional<Secret> bytes_a = vaultcore::Base64Decode(complete_a);
  const std::optional<Secret> bytes_b = vaultcore::Base64Decode(complete_b);
  vaultcore::WipeMemory(complete_a.data(), complete_a.size());
  vaultcore::WipeMemory(complete_b.data(), complete_b.size());
  if (!bytes_a.has_value() || !bytes_b.has_value()) return std::nullopt;
  const bool with_padding = padded || a.size() % 4 == 0;
  return Form{Form::Kind::kBase64, "", std::max(bytes_a->size(), kMinimumBytes), with_padding};
}

Form JudgeText(std::string_view a, std::string_view b, bool exact_length) {
  Form form;
  form.length = std::max(a.size(), b.size());
  const std::array<std::string_view, 3> classes = {kUpper, kLower, kDigits};
  std::string all;
  for (const std::string_view each : classes) all += each;
  if (AllOf(a, all) && AllOf(b, all)) {
    for (const std::string_view each : classes) {
      if (AnyOf(a, each) || AnyOf(b, each)) form.alphabet += each;
    }
  } else {
    form.alphabet = all;
  }
  const double bits_each = std::log2(static_cast<double>(form.alphabet.size()));
  if (!exact_length && bits_each * static_cast<double>(form.length) < kMinimumBits) {
    const auto needed = static_cast<size_t>(std::ceil(kMinimumBits / bits_each));
    form.length = std::max(needed, kDefaultLength);
  }
  return form;
}

// One of `count` numbers, each as likely: bytes beyond the last whole multiple are thrown away.
class UniformPicker {
 public:
  explicit UniformPicker(const RandomBytes& random) : random_(random) {}
  ~UniformPicker() { vaultcore::WipeMemory(pool_.data(), pool_.size()); }

  std::optional<size_t> Pick(size_t count) {
    const size_t limit = 256 - 256 % count;
    for (;;) {
      if (at_ == pool_.size()) {
        if (!random_(pool_.data(), pool_.size())) return std::nullopt;
        at_ = 0;
      }
      const size_t byte = pool_[at_++];
      if (byte < limit) return byte % count;
    }
  }

 private:
  const RandomBytes& random_;
  std::array<unsigned char, 64> pool_{};
  size_t at_ = pool_.size();
};

StatusOr<Secret> RandomBlock(size_t size, const RandomBytes& random) {
  std::string bytes(size, '\0');
  if (!random(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size())) {
    return MakeError(ErrorKind::kInternal, "the system's random number generator failed");
  }
  return Secret::TakeAndWipe(bytes);
}

StatusOr<Secret> RandomText(std::string_view alphabet, size_t length, const RandomBytes& random) {
  UniformPicker picker(random);
  SecretBuilder text;
  text.Reserve(length);
  for (size_t i = 0; i < length; ++i) {
    const std::optional<size_t> at = picker.Pick(alphabet.size());
    if (!at.has_value()) {
      return MakeError(ErrorKind::kInternal, "the system's random number generator failed");
    }
    text.Append(alphabet[*at]);
  }
  return text.Take();
}

StatusOr<Secret> RandomUuid(const RandomBytes& random) {
  VC_ASSIGN_OR_RETURN(const Secret digits, RandomText(kHexLower, 32, random));
  VC_ASSIGN_OR_RETURN(const Secret variant, RandomText("89ab", 1, random));
  SecretBuilder uuid;
  for (size_t i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) uuid.Append('-');
    uuid.Append(i == 12 ? '4' : i == 16 ? variant.Reveal()[0] : digits.Reveal()[i]);
  }
  return uuid.Take();
}

}  // namespace

RandomBytes SystemRandomBytes() {
  return [](unsigned char* data, size_t size) {
    return size <= INT_MAX && RAND_bytes(data, static_cast<int>(size)) == 1;
  };
}

std::string Form::Describe() const {
  switch (kind) {
    case Kind::kUuid:
      return "a UUID";
    case Kind::kHex:
      return std::to_string(length) + " bytes in hex";
    case Kind::kBase64:
      return std::to_string(length) + " bytes in base64";
    case Kind::kText:
      break;
  }
  std::vector<std::string> parts;
  const bool upper = AnyOf(alphabet, kUpper);
  const bool lower = AnyOf(alphabet, kLower);
  if (upper && lower) {
    parts.emplace_back("letters");
  } else if (upper || lower) {
    parts.emplace_back(upper ? "capital letters" : "small letters");
  }
  if (AnyOf(alphabet, kDigits)) parts.emplace_back("digits");
  std::string text = std::to_string(length);
  for (size_t i = 0; i < parts.size(); ++i) text += (i == 0 ? " " : " and ") + parts[i];
  return text;
}

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) {
      return false;
    }
  }
  return true;
}

Form JudgeForm(std::string_view a, std::string_view b, bool exact_length) {
  if (IsUuid(a) && IsUuid(b)) return Form{Form::Kind::kUuid, "", 0, true};
  if (std::optional<Form> hex = JudgeHex(a, b)) return *std::move(hex);
  if (std::optional<Form> base64 = JudgeBase64(a, b)) return *std::move(base64);
  return JudgeText(a, b, exact_length);
}

bool DemandsExactLength(std::string_view key, size_t size) {
  if (size != 16 && size != 24 && size != 32) return false;
  std::string lower(key);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  constexpr std::array<std::string_view, 5> kCiphers = {"aes", "crypt", "cipher", "seal", "block"};
  return std::any_of(kCiphers.begin(), kCiphers.end(),
                     [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

StatusOr<Secret> Generate(const Form& form, const RandomBytes& random) {
  switch (form.kind) {
    case Form::Kind::kUuid:
      return RandomUuid(random);
    case Form::Kind::kHex:
      return RandomText(form.alphabet, form.length * 2, random);
    case Form::Kind::kText:
      return RandomText(form.alphabet, form.length, random);
    case Form::Kind::kBase64:
      break;
  }
  VC_ASSIGN_OR_RETURN(const Secret bytes, RandomBlock(form.length, random));
  Secret text = vaultcore::Base64Encode(bytes.Reveal());
  if (form.padded) return text;
  std::string_view bare = text.Reveal();
  while (bare.ends_with('=')) bare.remove_suffix(1);
  return Secret::CopyOf(bare);
}

}  // namespace generator
