#include "vaultcore/base/encoding.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <string>
#include <vector>

namespace vaultcore {
namespace {

std::string OpenSslBase64(const std::string& bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(length));
  return out;
}

std::string Decoded(std::string_view text, bool allow_whitespace = false) {
  const auto secret = Base64Decode(text, allow_whitespace);
  return secret ? std::string(secret->Reveal()) : "(refused)";
}

std::string UrlDecoded(std::string_view text) {
  const auto secret = Base64UrlDecode(text);
  return secret ? std::string(secret->Reveal()) : "(refused)";
}

TEST(Base64Test, AgreesWithOpenSslForEveryLengthAndByte) {
  std::string bytes;
  for (int i = 0; i < 600; ++i) {
    const std::string expected = OpenSslBase64(bytes);
    EXPECT_EQ(Base64Encode(bytes).Reveal(), expected);
    EXPECT_EQ(Decoded(expected), bytes);
    bytes.push_back(static_cast<char>((i * 167 + 13) % 256));
  }
}

TEST(Base64Test, Rfc4648Vectors) {
  const std::vector<std::pair<std::string, std::string>> vectors = {{"", ""},
                                                                    {"f", "Zg=="},
                                                                    {"fo", "Zm8="},
                                                                    {"foo", "Zm9v"},
                                                                    {"foob", "Zm9vYg=="},
                                                                    {"fooba", "Zm9vYmE="},
                                                                    {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(Base64Encode(plain).Reveal(), encoded);
    EXPECT_EQ(Decoded(encoded), plain);
  }
}

TEST(Base64Test, RefusesWhatIsNotCanonical) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "Zm9v=", "Zm9vZ", "=",
                           "====", "Zg==Zg==", "Z=g=", "Zh==", "Zm9=", "Zm9v\n", "Zm 9v", "Zm9-",
                           "Zm9_", "Zm9v!", "\xC3\xA9==", "Zg==="}) {
    EXPECT_EQ(Decoded(text), "(refused)") << text;
  }
}

TEST(Base64Test, WhitespaceWhereAllowed) {
  EXPECT_EQ(Decoded(" Zm9v\r\nYm\tFy\n", true), "foobar");
  EXPECT_EQ(Decoded("Z g = =", true), "f");
  EXPECT_EQ(Decoded("Zm9v\vYmFy", true), "(refused)");
}

TEST(Base64Test, UrlAlphabetWithOptionalPadding) {
  EXPECT_EQ(UrlDecoded("-_-_"), "\xFB\xFF\xBF");
  EXPECT_EQ(UrlDecoded("Zg"), "f");
  EXPECT_EQ(UrlDecoded("Zg=="), "f");
  EXPECT_EQ(UrlDecoded("eyJhbGciOiJSUzI1NiJ9"), "{\"alg\":\"RS256\"}");
  for (const char* text : {"+/+/", "Z", "Zg=", "Zh", "Z g", "Zg=A"}) {
    EXPECT_EQ(UrlDecoded(text), "(refused)") << text;
  }
}

TEST(HexTest, LowerCase) {
  EXPECT_EQ(HexEncode(std::string_view("\x00\x0F\xA5\xFF", 4)), "000fa5ff");
  EXPECT_EQ(HexEncode(""), "");
}

TEST(PercentEncodeTest, KeepsOnlyUnreserved) {
  EXPECT_EQ(PercentEncode("AZaz09-._~", false), "AZaz09-._~");
  EXPECT_EQ(PercentEncode("a/b c", false), "a%2Fb%20c");
  EXPECT_EQ(PercentEncode("a/b c", true), "a/b%20c");
  EXPECT_EQ(PercentEncode("?#%&+=\r\n\xC3\xA9", true), "%3F%23%25%26%2B%3D%0D%0A%C3%A9");
}

TEST(Utf8Test, AcceptsWellFormed) {
  for (const char* text :
       {"", "ascii", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(IsValidUtf8(text)) << HexEncode(text);
  }
}

TEST(Utf8Test, RefusesTheRest) {
  for (const char* text :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2z", "\xE0\x9F\xBF", "\xE0\xA0",
        "\xED\xA0\x80", "\xED\xBF\xBF", "\xE2\x82z", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80", "\xF0\x90\x80", "\xFE", "\xFF", "ok\xFF"}) {
    EXPECT_FALSE(IsValidUtf8(text)) << HexEncode(text);
  }
}

TEST(ClosestMatchTest, FindsTheNearest) {
  const std::vector<std::string> keys = {"serviceName", "secrets", "vault", "provider",
                                         "databases"};
  EXPECT_EQ(ClosestMatch("servicename", keys), "serviceName");
  EXPECT_EQ(ClosestMatch("serviceNmae", keys), "serviceName");
  EXPECT_EQ(ClosestMatch("secret", keys), "secrets");
  EXPECT_EQ(ClosestMatch("databse", keys), "databases");
  EXPECT_EQ(ClosestMatch("vualt", keys), "vault");
  EXPECT_EQ(ClosestMatch("vault", keys), "vault");
}

TEST(ClosestMatchTest, IsEmptyWhenNothingIsNear) {
  const std::vector<std::string> keys = {"serviceName", "vault", "a"};
  EXPECT_EQ(ClosestMatch("image", keys), "");
  EXPECT_EQ(ClosestMatch("b", keys), "");
  EXPECT_EQ(ClosestMatch("", keys), "");
  EXPECT_EQ(ClosestMatch("vault", {}), "");
}

}  // namespace
}  // namespace vaultcore
