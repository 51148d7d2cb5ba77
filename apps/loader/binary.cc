#include "loader/binary.h"

#include <cstdint>

#include "vaultcore/base/encoding.h"

namespace loader {
namespace {

using vaultcore::Secret;

// Shorter ones hold no key; a password may well be base64 of three bytes that look like DER.
constexpr size_t kMinBytes = 32;

uint32_t BigEndian(std::string_view bytes, size_t at, size_t count) {
  uint32_t value = 0;
  for (size_t i = 0; i < count; ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

bool IsKeyStore(std::string_view bytes) {
  constexpr uint32_t kJks = 0xFEEDFEED;
  constexpr uint32_t kJceks = 0xCECECECE;
  const uint32_t magic = BigEndian(bytes, 0, 4);
  const uint32_t version = BigEndian(bytes, 4, 4);
  return (magic == kJks || magic == kJceks) && (version == 1 || version == 2);
}

// One SEQUENCE that is exactly as long as the file, and begins with another element that fits.
bool IsDer(std::string_view bytes) {
  constexpr unsigned char kSequence = 0x30;
  const auto byte_at = [bytes](size_t at) { return static_cast<unsigned char>(bytes[at]); };
  if (byte_at(0) != kSequence) return false;
  size_t header = 2;
  size_t length = byte_at(1);
  if (length > 0x80) {
    const size_t count = length & 0x7F;
    if (count > 4) return false;
    length = BigEndian(bytes, 2, count);
    header += count;
  }
  if (header + length != bytes.size()) return false;
  // INTEGER, OCTET STRING, OBJECT IDENTIFIER, SEQUENCE: what keys, certificates and PKCS#12 begin
  // with.
  const unsigned char first = byte_at(header);
  return first == 0x02 || first == 0x04 || first == 0x06 || first == kSequence;
}

// Version 5.1 or 5.2, then records with their length, up to the very end.
bool IsKeytab(std::string_view bytes) {
  const uint32_t version = BigEndian(bytes, 0, 2);
  if (version != 0x0501 && version != 0x0502) return false;
  size_t at = 2;
  while (at + 4 <= bytes.size()) {
    const auto length = static_cast<int32_t>(BigEndian(bytes, at, 4));
    // A hole, what a removed record leaves, has its length negated.
    const auto size = static_cast<size_t>(length < 0 ? -int64_t{length} : int64_t{length});
    if (size == 0 || size > bytes.size() - at - 4) return false;
    at += 4 + size;
  }
  return at == bytes.size();
}

}  // namespace

bool IsKnownBinary(std::string_view bytes) {
  return bytes.size() >= kMinBytes && (IsKeyStore(bytes) || IsDer(bytes) || IsKeytab(bytes));
}

std::optional<Secret> DecodeKnownBinary(std::string_view text) {
  std::optional<Secret> bytes = vaultcore::Base64Decode(text, /*allow_whitespace=*/true);
  if (!bytes || !IsKnownBinary(bytes->Reveal())) return std::nullopt;
  return bytes;
}

}  // namespace loader
