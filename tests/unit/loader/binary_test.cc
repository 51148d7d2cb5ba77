#include "loader/binary.h"

#include <gtest/gtest.h>

#include <string>

#include "vaultcore/base/encoding.h"

namespace loader {
namespace {

std::string Base64(std::string_view bytes) {
  return std::string(vaultcore::Base64Encode(bytes).Reveal());
}

std::string Bytes(std::initializer_list<int> head, size_t size) {
  std::string bytes;
  for (const int byte : head) bytes += static_cast<char>(byte);
  bytes.resize(size, 'x');
  return bytes;
}

std::string Jks() { return Bytes({0xFE, 0xED, 0xFE, 0xED, 0, 0, 0, 2}, 100); }
// SEQUENCE of 96 bytes that begins with an INTEGER, as PKCS#12 does.
std::string Der() { return Bytes({0x30, 96, 0x02, 1, 3}, 98); }
std::string LongDer() { return Bytes({0x30, 0x82, 0x01, 0x2C, 0x30, 10}, 304); }
std::string Keytab() { return Bytes({5, 2, 0, 0, 0, 40}, 46); }

TEST(BinaryTest, KnownFormatsBecomeBytes) {
  for (const std::string& bytes : {Jks(), Der(), LongDer(), Keytab()}) {
    const auto decoded = DecodeKnownBinary(Base64(bytes));
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(decoded->Reveal(), bytes);
  }
}

TEST(BinaryTest, LinesAndATrailingNewlineAreFine) {
  std::string text = Base64(LongDer());
  text.insert(76, "\n");
  text += "\n";
  ASSERT_TRUE(DecodeKnownBinary(text).has_value());
}

TEST(BinaryTest, TextStaysText) {
  for (const std::string& text : {
           std::string("plain text"),
           std::string("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
           Base64("just some text that somebody has encoded for some reason"),
           Base64(Jks().substr(0, 31)),
           std::string(),
       }) {
    EXPECT_FALSE(DecodeKnownBinary(text).has_value()) << text;
  }
}

TEST(BinaryTest, AFirstByteAloneProvesNothing) {
  EXPECT_FALSE(IsKnownBinary(Der() + "y"));
  EXPECT_FALSE(IsKnownBinary(Der().substr(0, 97)));
  EXPECT_FALSE(IsKnownBinary(Bytes({0x30, 96, 0x7F}, 98)));
  EXPECT_FALSE(IsKnownBinary(Bytes({0x30, 0x85, 1, 1, 1, 1, 1}, 98)));
  EXPECT_FALSE(IsKnownBinary(Keytab() + "y"));
  EXPECT_FALSE(IsKnownBinary(Bytes({5, 2, 0, 0, 0, 0}, 46)));
  EXPECT_FALSE(IsKnownBinary(Bytes({5, 2, 0x80, 0, 0, 0}, 46)));
  EXPECT_FALSE(IsKnownBinary(Bytes({0xFE, 0xED, 0xFE, 0xED, 0, 0, 0, 9}, 100)));
}

}  // namespace
}  // namespace loader
