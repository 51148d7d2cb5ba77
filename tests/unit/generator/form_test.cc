#include "generator/form.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "support/status_matchers.h"
#include "unit/generator/samples.h"

namespace generator {
namespace {

using testing::MatchesRegex;
using vaultcore::ErrorKind;
using vaultcore::StatusIs;

struct Sample {
  std::string a;
  std::string b;
  std::string described;
};

TEST(JudgeForm, TakesTheFormOfTheSample) {
  const std::vector<Sample> samples = {
      // Too weak as it is: 10 characters hold 59 bits.
      {"aB3dE5fG7h", "Zx9cV7bN5m", "32 letters and digits"},
      {std::string(40, 'a') + "B1", std::string(40, 'c') + "D2", "42 letters and digits"},
      {"ABCDEFGHIJKLMNOPQRST", "BCDEFGHIJKLMNOPQRSTU", "32 capital letters"},
      {"abcdefghijklmnopqrstuvwxyzabcd", "bcdefghijklmnopqrstuvwxyzabcda", "30 small letters"},
      {"12345678", "87654321", "39 digits"},
      {"0011223344556677889900112233445566778899", "9988776655443322110099887766554433221100",
       "40 digits"},
      {"00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100", "16 bytes in hex"},
      {"00112233445566aa", "aa66554433221100", "16 bytes in hex"},
      {"3214ebaa-5f32-4ff1-b658-2596ebec9fac", "c4a760a8-dbcf-4e14-9f39-18f2a2f0a8ac", "a UUID"},
      {"AAECAwQFBgcICQoLDA0ODw==", "Dw4NDAsKCQgHBgUEAwIBAA==", "16 bytes in base64"},
      {"/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+", "abcdabcdabcdabcdabcdabcdabcdabcd",
       "24 bytes in base64"},
      {"p@ss-w0rd!", "w0rd!-p@ss", "32 letters and digits"},
  };
  for (const Sample& sample : samples) {
    EXPECT_EQ(JudgeForm(sample.a, sample.b, false).Describe(), sample.described) << sample.a;
  }
}

TEST(JudgeForm, KeepsALengthThatACipherDemands) {
  EXPECT_EQ(JudgeForm("abcdEFGH12345678", "ABCDefgh87654321", true).Describe(),
            "16 letters and digits");
}

TEST(DemandsExactLength, IsAboutCipherKeysOfCipherSizes) {
  EXPECT_TRUE(DemandsExactLength("ENCRYPTION_KEY", 16));
  EXPECT_TRUE(DemandsExactLength("aesKey", 32));
  EXPECT_FALSE(DemandsExactLength("aesKey", 20));
  EXPECT_FALSE(DemandsExactLength("PASSWORD", 16));
}

std::string Made(const Form& form) {
  vaultcore::StatusOr<vaultcore::Secret> value = Generate(form, CountingBytes());
  EXPECT_THAT(value, vaultcore::IsOk());
  return value.ok() ? std::string(value->Reveal()) : std::string();
}

TEST(Generate, MakesWhatTheFormSays) {
  EXPECT_THAT(Made({Form::Kind::kUuid, "", 0, true}),
              MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_THAT(Made({Form::Kind::kHex, "0123456789abcdef", 16, true}), MatchesRegex("[0-9a-f]{32}"));
  EXPECT_THAT(Made({Form::Kind::kHex, "0123456789ABCDEF", 16, true}), MatchesRegex("[0-9A-F]{32}"));
  EXPECT_THAT(Made({Form::Kind::kText, "ABC", 40, true}), MatchesRegex("[ABC]{40}"));
  EXPECT_EQ(Made({Form::Kind::kBase64, "", 16, true}), "AAECAwQFBgcICQoLDA0ODw==");
  EXPECT_EQ(Made({Form::Kind::kBase64, "", 16, false}), "AAECAwQFBgcICQoLDA0ODw");
}

// 256 bytes, each once: of 62 letters and digits the bytes 248 to 255 would favour the first eight.
TEST(Generate, EveryCharacterIsAsLikely) {
  std::string alphabet;
  for (char c = 'a'; c <= 'z'; ++c) alphabet += c;
  for (char c = 'A'; c <= 'Z'; ++c) alphabet += c;
  for (char c = '0'; c <= '9'; ++c) alphabet += c;
  std::map<char, int> count;
  for (const char c : Made({Form::Kind::kText, alphabet, 248, true})) ++count[c];
  ASSERT_EQ(count.size(), 62u);
  for (const auto& [c, times] : count) EXPECT_EQ(times, 4) << c;
}

TEST(Generate, TwoFromTheSystemDiffer) {
  const RandomBytes random = SystemRandomBytes();
  const Form form{Form::Kind::kText, "abcdefghijklmnopqrstuvwxyz", 32, true};
  const auto one = Generate(form, random);
  const auto two = Generate(form, random);
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_FALSE(*one == *two);
}

TEST(Generate, WithoutRandomnessThereIsNoValue) {
  const RandomBytes broken = [](unsigned char*, size_t) { return false; };
  for (const Form::Kind kind :
       {Form::Kind::kText, Form::Kind::kHex, Form::Kind::kBase64, Form::Kind::kUuid}) {
    EXPECT_THAT(Generate({kind, "abc", 16, true}, broken), StatusIs(ErrorKind::kInternal));
  }
}

}  // namespace
}  // namespace generator
