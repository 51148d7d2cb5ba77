#include "generator/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "vaultcore/base/encoding.h"

namespace generator {
namespace {

using testing::ElementsAre;

constexpr char kA[] = "aaaaBBBBcccc1111";
constexpr char kB[] = "ddddEEEEffff2222";

// "text<0>text", with base64 in braces.
std::string Show(const Recipe& recipe) {
  std::string text;
  for (const Part& part : recipe) {
    switch (part.type) {
      case Part::Type::kText:
        text += Bytes(part.text);
        break;
      case Part::Type::kToken:
        text += "<" + std::to_string(part.token) + ">";
        break;
      case Part::Type::kBase64:
        text += "{" + Show(part.inner) + "}";
        break;
    }
  }
  return text;
}

std::string Base64(std::string_view text) {
  return std::string(vaultcore::Base64Encode(text).Reveal());
}

TEST(TokenTable, AConstantIsText) {
  TokenTable table;
  EXPECT_EQ(Show(table.Add("k", "constant", "constant")), "constant");
  EXPECT_TRUE(table.tokens().empty());
}

TEST(TokenTable, TheSameSampleIsTheSameToken) {
  TokenTable table;
  EXPECT_EQ(Show(table.Add("k", kA, kB)), "<0>");
  EXPECT_EQ(Show(table.Add("other", kA, kB)), "<0>");
  EXPECT_EQ(Show(table.Add("k", "gggghhhhIIII", "jjjjkkkkLLLL")), "<1>");
}

TEST(TokenTable, FindsTokensInsideTexts) {
  TokenTable table;
  const auto with = [](const std::string& before, const std::string& after) {
    return [=](const char* token) { return before + token + after; };
  };
  const auto add = [&](const auto& text) { return Show(table.Add("k", text(kA), text(kB))); };
  EXPECT_EQ(add(with("amqp://user:", "@host:5672/vhost")), "amqp://user:<0>@host:5672/vhost");
  EXPECT_EQ(add(with("{\"password\": \"", "\", \"user\": \"admin\"}")),
            "{\"password\": \"<0>\", \"user\": \"admin\"}");
  EXPECT_EQ(add(with("https://host/", "/path?x=y")), "https://host/<0>/path?x=y");
  EXPECT_EQ(add(with("sk_live_", "")), "sk_live_<0>");
  EXPECT_EQ(add(with("prefix", "")), "prefix<0>");
}

TEST(TokenTable, LooksIntoBase64) {
  TokenTable table;
  const std::string a = Base64(std::string("user:") + kA);
  const std::string b = Base64(std::string("user:") + kB);
  EXPECT_EQ(Show(table.Add("k", a, b)), "{user:<0>}");
  EXPECT_EQ(Show(table.Add("k", "{\"auth\":\"" + a + "\"}", "{\"auth\":\"" + b + "\"}")),
            "{\"auth\":\"{user:<0>}\"}");
  EXPECT_EQ(table.tokens().size(), 1u);
}

// Two random texts of letters and digits decode as base64 too, but not to text.
TEST(TokenTable, LettersAndDigitsAreNotBase64) {
  TokenTable table;
  EXPECT_EQ(Show(table.Add("k", "Zx9cV7bN5mQw", "aB3dE5fG7hYt")), "<0>");
}

TEST(TokenTable, CertificatesAndKeysStayAsTheyWereRendered) {
  TokenTable table;
  for (const std::string a : {"-----BEGIN CERTIFICATE-----\nAAAA\n", "admin:$2a$10$abcdefg"}) {
    const Recipe recipe = table.Add("k", a, a + "x");
    ASSERT_TRUE(OnlyToken(recipe).has_value()) << a;
    EXPECT_EQ(table.tokens()[*OnlyToken(recipe)].fate, Token::Fate::kRendered) << a;
  }
}

TEST(TokenTable, TextsWithoutACommonStructureStay) {
  TokenTable table;
  const Recipe json = table.Add("k", "{\"a\": 1}", "{\"a\": 1, \"b\": 2}");
  EXPECT_EQ(table.tokens()[*OnlyToken(json)].fate, Token::Fate::kRendered);
  const Recipe password = table.Add("k", "p@ss", "pa$$!x");
  EXPECT_EQ(table.tokens()[*OnlyToken(password)].fate, Token::Fate::kFresh);
}

TEST(TokenTable, LinkFindsATokenInsideALongerRun) {
  TokenTable table;
  Recipe longer = table.Add("k", std::string("x") + kA, std::string("y") + kB);
  Recipe token = table.Add("k", kA, kB);
  table.Link({&longer, &token});
  EXPECT_EQ(Show(longer), "x<1>");
  EXPECT_EQ(Show(token), "<1>");
}

TEST(TokenTable, LinkFindsDigests) {
  TokenTable table;
  Recipe password = table.Add("k", "a-", "b-");
  Recipe secret = table.Add("k", "abc", "abd");
  Recipe digest = table.Add("k", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                            "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9");
  table.Link({&password, &secret, &digest});
  const Token& token = table.tokens()[*OnlyToken(digest)];
  EXPECT_EQ(token.fate, Token::Fate::kHash);
  EXPECT_EQ(token.digest, "SHA256");
  EXPECT_EQ(token.hashed, *OnlyToken(secret));
}

TEST(Assemble, PutsNewValuesInAndDissectTakesThemOut) {
  TokenTable table;
  const std::string a = "amqp://u:" + std::string(kA) + "@h/" + Base64("x=" + std::string(kA));
  const std::string b = "amqp://u:" + std::string(kB) + "@h/" + Base64("x=" + std::string(kB));
  const Recipe recipe = table.Add("k", a, b);
  const TokenValues values = {MakeValue("NEW")};
  const vaultcore::Secret value = Assemble(recipe, values);
  EXPECT_EQ(value.Reveal(), "amqp://u:NEW@h/" + Base64("x=NEW"));
  const auto tokens = Dissect(recipe, value.Reveal());
  ASSERT_TRUE(tokens.has_value());
  ASSERT_EQ(tokens->size(), 1u);
  EXPECT_EQ(Bytes(tokens->at(0)), "NEW");
  EXPECT_FALSE(Dissect(recipe, "amqp://u:NEW@h/" + Base64("x=OLD")).has_value());
  EXPECT_FALSE(Dissect(recipe, "amqp://u:@h/" + Base64("x=")).has_value());
  EXPECT_FALSE(Dissect(recipe, "something else").has_value());
}

TEST(TokensOf, LooksIntoBase64) {
  TokenTable table;
  const Recipe recipe =
      table.Add("k", Base64(std::string("u:") + kA), Base64(std::string("u:") + kB));
  EXPECT_THAT(TokensOf(recipe), ElementsAre(0u));
  EXPECT_FALSE(OnlyToken(recipe).has_value());
}

}  // namespace
}  // namespace generator
