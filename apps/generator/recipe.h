// How a value of a chart is made again with new secrets inside.
//
// Two renderings of a chart show which parts of a value the chart invents: they differ. Such a part
// is a token; what surrounds it stays. The same token may stand in many values, alone, in a URL, in
// JSON, in base64: a new value for it appears in all of them. Parts that cannot be made anew
// (certificates, keys, keystores) are tokens too, but keep what the first rendering holds, so that
// those that belong together match. Pure.

#ifndef APPS_GENERATOR_RECIPE_H_
#define APPS_GENERATOR_RECIPE_H_

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "generator/form.h"
#include "generator/value.h"

namespace generator {

struct Token {
  enum class Fate {
    kFresh,     // a new value of `form`
    kRendered,  // the first rendering's
    kHash,      // the digest of token `hashed`
    kBcrypt,    // a bcrypt hash of token `hashed`
  };

  Value sample;  // what the first rendering holds
  Fate fate = Fate::kFresh;
  Form form;
  size_t hashed = 0;
  std::string digest;  // kHash: "SHA256"
};

struct Part {
  enum class Type { kText, kToken, kBase64 };

  Type type = Type::kText;
  Value text;               // kText
  size_t token = 0;         // kToken
  std::vector<Part> inner;  // kBase64: the encoded text's parts
};

using Recipe = std::vector<Part>;

// The tokens of a recipe, those within base64 included.
std::set<size_t> TokensOf(const Recipe& recipe);
// The token that is all of the recipe, if it is one.
std::optional<size_t> OnlyToken(const Recipe& recipe);

// The tokens of a chart, and the recipes in terms of them.
class TokenTable {
 public:
  // The recipe of a value that is `a` in the first rendering and `b` in the second, stored under
  // `key` of a Secret. Equal ones have a recipe of text alone.
  Recipe Add(std::string_view key, std::string_view a, std::string_view b);

  // `token` keeps what the first rendering holds: something that cannot be made anew depends on it.
  void KeepRendered(size_t token) { tokens_[token].fate = Token::Fate::kRendered; }
  // `token` is a bcrypt hash of the token `password`.
  void SetBcryptOf(size_t token, size_t password) {
    tokens_[token].fate = Token::Fate::kBcrypt;
    tokens_[token].hashed = password;
  }

  // After the last Add: finds tokens that are digests of other ones, and tokens that stand inside
  // longer runs of letters, whose recipes it mends.
  void Link(std::vector<Recipe*> recipes);

  const std::vector<Token>& tokens() const { return tokens_; }

 private:
  Recipe Align(std::string_view key, std::string_view a, std::string_view b);
  std::optional<Recipe> AlignBase64(std::string_view key, std::string_view a, std::string_view b);
  std::optional<Recipe> AlignWords(std::string_view key, std::string_view a, std::string_view b,
                                   std::string_view inner_characters);
  Part AddToken(std::string_view key, std::string_view a, std::string_view b, Token::Fate fate);
  void LinkDigests();
  void SplitAround(Recipe& recipe);

  std::vector<Token> tokens_;
  std::map<Value, size_t, ValueLess> by_sample_;
};

// What tokens stand for in one plan; null for those not decided.
using TokenValues = std::vector<Value>;

// The value: each token's from `values`. All of the recipe's tokens must have one.
vaultcore::Secret Assemble(const Recipe& recipe, const TokenValues& values);

// The other way: which tokens `value` must have been assembled from. nullopt: it was not made by
// this recipe. A token that stands twice must be the same both times.
std::optional<std::map<size_t, Value>> Dissect(const Recipe& recipe, std::string_view value);

}  // namespace generator

#endif  // APPS_GENERATOR_RECIPE_H_
