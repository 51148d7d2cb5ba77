// Literal IP addresses: told apart from host names, and matched against blocks. Not a public
// header.

#ifndef VAULTCORE_BASE_IP_ADDRESS_H_
#define VAULTCORE_BASE_IP_ADDRESS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace vaultcore {

// IPv4 is kept as the mapped IPv6 address (::ffff:a.b.c.d), so that both spellings are equal.
class IpAddress {
 public:
  // "10.0.0.1", "::1"; no brackets, no zone.
  static std::optional<IpAddress> Parse(std::string_view text);

  bool is_v4() const;
  bool IsLoopback() const;
  // True when the first `prefix_bits` (0 to 128, counted in the mapped form) are those of `block`.
  bool IsIn(const IpAddress& block, int prefix_bits) const;
  friend bool operator==(const IpAddress&, const IpAddress&) = default;

 private:
  std::array<uint8_t, 16> bytes_{};
};

}  // namespace vaultcore

#endif  // VAULTCORE_BASE_IP_ADDRESS_H_
