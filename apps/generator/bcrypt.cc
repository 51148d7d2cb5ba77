#include "generator/bcrypt.h"

#include <crypt.h>

#include <array>
#include <cctype>
#include <memory>
#include <string>

namespace generator {
namespace {

using vaultcore::ErrorKind;
using vaultcore::MakeError;
using vaultcore::Secret;
using vaultcore::StatusOr;

// "$2a$10$", then 22 characters of salt and 31 of hash.
constexpr size_t kPrefixSize = 7;
constexpr size_t kBcryptSize = 60;
constexpr size_t kSaltBytes = 16;
// A cost of 16 takes some seconds; charts use 10.
constexpr std::string_view kHighestCost = "14";

bool IsBcryptCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '/';
}

bool IsBcrypt(std::string_view text) {
  if (text.size() < kBcryptSize || !text.starts_with("$2") || text[3] != '$' || text[6] != '$' ||
      std::string_view("aby").find(text[2]) == std::string_view::npos ||
      std::isdigit(static_cast<unsigned char>(text[4])) == 0 ||
      std::isdigit(static_cast<unsigned char>(text[5])) == 0) {
    return false;
  }
  for (size_t i = kPrefixSize; i < kBcryptSize; ++i) {
    if (!IsBcryptCharacter(text[i])) return false;
  }
  return true;
}

// Empty when the system's library does not know the setting.
Secret Crypt(std::string_view password, std::string_view setting) {
  const auto data = std::make_unique<crypt_data>();
  std::string phrase(password);
  const char* hash = ::crypt_r(phrase.c_str(), std::string(setting).c_str(), data.get());
  vaultcore::WipeMemory(phrase.data(), phrase.size());
  Secret result;
  if (hash != nullptr && hash[0] == '$') result = Secret::CopyOf(hash);
  vaultcore::WipeMemory(data.get(), sizeof(crypt_data));
  return result;
}

}  // namespace

std::optional<std::pair<size_t, size_t>> FindBcrypt(std::string_view text) {
  for (size_t at = text.find("$2"); at != std::string_view::npos; at = text.find("$2", at + 1)) {
    if (IsBcrypt(text.substr(at))) return std::pair(at, at + kBcryptSize);
  }
  return std::nullopt;
}

bool BcryptMatches(std::string_view password, std::string_view hash) {
  if (hash.size() != kBcryptSize || !IsBcrypt(hash) || hash.substr(4, 2) > kHighestCost ||
      password.find('\0') != std::string_view::npos) {
    return false;
  }
  return Crypt(password, hash).Reveal() == hash;
}

StatusOr<Secret> BcryptLike(std::string_view password, std::string_view like,
                            const RandomBytes& random) {
  std::array<unsigned char, kSaltBytes> salt{};
  if (!IsBcrypt(like) || !random(salt.data(), salt.size())) {
    return MakeError(ErrorKind::kInternal, "the system's random number generator failed");
  }
  const int tens = like[4] - '0';
  const int ones = like[5] - '0';
  const auto cost = static_cast<unsigned long>(tens * 10L + ones);
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
  const char* made = ::crypt_gensalt_rn(
      std::string(like.substr(0, 4)).c_str(), cost, reinterpret_cast<const char*>(salt.data()),
      static_cast<int>(salt.size()), setting.data(), static_cast<int>(setting.size()));
  Secret hash = made == nullptr ? Secret() : Crypt(password, made);
  if (hash.empty()) return MakeError(ErrorKind::kInternal, "the system's crypt() knows no bcrypt");
  return hash;
}

}  // namespace generator
