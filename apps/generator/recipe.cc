#include "generator/recipe.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <utility>

#include "generator/bcrypt.h"
#include "vaultcore/base/encoding.h"

namespace generator {
namespace {

using vaultcore::Secret;
using vaultcore::SecretBuilder;

// Shorter tokens are not looked for inside other values: they would be found by chance.
constexpr size_t kShortestEmbedded = 8;
constexpr size_t kShortestBase64 = 8;
// Letters that both samples begin with by chance: once in 62^4.
constexpr size_t kChancePrefix = 4;

bool IsAlnum(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

bool IsPrintable(std::string_view text) {
  return vaultcore::IsValidUtf8(text) && std::none_of(text.begin(), text.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return (byte < 0x20 && c != '\n' && c != '\t' && c != '\r') || byte == 0x7F;
         });
}

// What only the chart's own functions can make: it must stay as it was rendered.
bool IsOpaque(std::string_view text) {
  constexpr std::array<std::string_view, 9> kMarks = {
      "-----BEGIN ", "$2a$", "$2b$", "$2y$", "$5$", "$6$", "$argon2", "$apr1$", "ssh-"};
  return !IsPrintable(text) || std::any_of(kMarks.begin(), kMarks.end(), [&](auto mark) {
    return text.find(mark) != std::string_view::npos;
  });
}

// Two random texts begin and end alike by chance only.
bool LookUnrelated(std::string_view a, std::string_view b) {
  while (a.ends_with('=') && b.ends_with('=')) {
    a.remove_suffix(1);
    b.remove_suffix(1);
  }
  const auto front = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
  const auto back = std::mismatch(a.rbegin(), a.rend(), b.rbegin(), b.rend()).first - a.rbegin();
  return static_cast<size_t>(std::max(front, back)) < kChancePrefix;
}

Part TextPart(std::string_view text) { return {Part::Type::kText, MakeValue(text), 0, {}}; }

void Append(Recipe& recipe, Recipe more) {
  for (Part& part : more) {
    if (part.type == Part::Type::kText && part.text->empty()) continue;
    recipe.push_back(std::move(part));
  }
}

// Runs of letters, digits and `inner_characters`, and the runs between them, in turn; begins with
// one between, which may be empty.
std::vector<std::string_view> Words(std::string_view text, std::string_view inner_characters) {
  std::vector<std::string_view> runs;
  size_t begin = 0;
  bool in_word = false;
  for (size_t i = 0; i <= text.size(); ++i) {
    const bool word = i < text.size() && (IsAlnum(text[i]) ||
                                          inner_characters.find(text[i]) != std::string_view::npos);
    if (i < text.size() && word == in_word) continue;
    runs.push_back(text.substr(begin, i - begin));
    begin = i;
    in_word = word;
  }
  return runs;
}

Secret Digest(const char* name, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_get_digestbyname(name),
                 nullptr) != 1) {
    return {};
  }
  std::string hex =
      vaultcore::HexEncode({reinterpret_cast<const char*>(digest.data()), size_t{size}});
  return Secret::TakeAndWipe(hex);
}

constexpr std::array<const char*, 4> kDigests = {"MD5", "SHA1", "SHA256", "SHA512"};

void CollectTokens(const Recipe& recipe, std::set<size_t>& tokens) {
  for (const Part& part : recipe) {
    if (part.type == Part::Type::kToken) tokens.insert(part.token);
    CollectTokens(part.inner, tokens);
  }
}

}  // namespace

std::set<size_t> TokensOf(const Recipe& recipe) {
  std::set<size_t> tokens;
  CollectTokens(recipe, tokens);
  return tokens;
}

std::optional<size_t> OnlyToken(const Recipe& recipe) {
  if (recipe.size() != 1 || recipe.front().type != Part::Type::kToken) return std::nullopt;
  return recipe.front().token;
}

Part TokenTable::AddToken(std::string_view key, std::string_view a, std::string_view b,
                          Token::Fate fate) {
  const auto known = by_sample_.find(a);
  Part part;
  part.type = Part::Type::kToken;
  if (known != by_sample_.end()) {
    part.token = known->second;
    return part;
  }
  Token token;
  token.sample = MakeValue(a);
  token.fate = fate;
  if (fate == Token::Fate::kFresh) {
    token.form = JudgeForm(a, b, DemandsExactLength(key, a.size()));
  }
  part.token = tokens_.size();
  by_sample_.emplace(token.sample, part.token);
  tokens_.push_back(std::move(token));
  return part;
}

Recipe TokenTable::Add(std::string_view key, std::string_view a, std::string_view b) {
  Recipe recipe;
  Append(recipe, Align(key, a, b));
  return recipe;
}

Recipe TokenTable::Align(std::string_view key, std::string_view a, std::string_view b) {
  if (a == b) return {TextPart(a)};
  const auto hash_a = FindBcrypt(a);
  const auto hash_b = FindBcrypt(b);
  if (hash_a.has_value() && hash_b.has_value()) {
    Recipe recipe = Align(key, a.substr(0, hash_a->first), b.substr(0, hash_b->first));
    recipe.push_back(AddToken(key, a.substr(hash_a->first, hash_a->second - hash_a->first),
                              b.substr(hash_b->first, hash_b->second - hash_b->first),
                              Token::Fate::kRendered));
    Append(recipe, Align(key, a.substr(hash_a->second), b.substr(hash_b->second)));
    return recipe;
  }
  if (IsOpaque(a) || IsOpaque(b)) return {AddToken(key, a, b, Token::Fate::kRendered)};
  if (std::optional<Recipe> encoded = AlignBase64(key, a, b)) return *std::move(encoded);
  const bool one_word = Words(a, "+/=_-").size() <= 2 && Words(b, "+/=_-").size() <= 2;
  if (one_word && LookUnrelated(a, b) && JudgeForm(a, b, false).kind != Form::Kind::kText) {
    return {AddToken(key, a, b, Token::Fate::kFresh)};
  }
  if (std::all_of(a.begin(), a.end(), IsAlnum) && std::all_of(b.begin(), b.end(), IsAlnum)) {
    const auto [end_a, end_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    const auto same = static_cast<size_t>(end_a - a.begin());
    if (same < kChancePrefix || same == a.size() || same == b.size()) {
      return {AddToken(key, a, b, Token::Fate::kFresh)};
    }
    return {TextPart(a.substr(0, same)),
            AddToken(key, a.substr(same), b.substr(same), Token::Fate::kFresh)};
  }
  for (const std::string_view inner : {"+/=_-", "-", ""}) {
    if (std::optional<Recipe> parts = AlignWords(key, a, b, inner)) return *std::move(parts);
  }
  // Nothing is in the same place twice. A password of many characters becomes one of ours; a text
  // with a structure stays as the chart made it.
  const bool structured = a.find_first_of(" \t\r\n{}[]<>\"") != std::string_view::npos ||
                          a.find("://") != std::string_view::npos;
  return {AddToken(key, a, b, structured ? Token::Fate::kRendered : Token::Fate::kFresh)};
}

std::optional<Recipe> TokenTable::AlignBase64(std::string_view key, std::string_view a,
                                              std::string_view b) {
  if (a.size() < kShortestBase64 || b.size() < kShortestBase64) return std::nullopt;
  const std::optional<Secret> inner_a = vaultcore::Base64Decode(a);
  const std::optional<Secret> inner_b = vaultcore::Base64Decode(b);
  // Random letters and digits decode too, but hardly to text.
  if (!inner_a.has_value() || !inner_b.has_value() || !IsPrintable(inner_a->Reveal()) ||
      !IsPrintable(inner_b->Reveal())) {
    return std::nullopt;
  }
  Part part;
  part.type = Part::Type::kBase64;
  Append(part.inner, Align(key, inner_a->Reveal(), inner_b->Reveal()));
  return Recipe{std::move(part)};
}

std::optional<Recipe> TokenTable::AlignWords(std::string_view key, std::string_view a,
                                             std::string_view b,
                                             std::string_view inner_characters) {
  const std::vector<std::string_view> words_a = Words(a, inner_characters);
  const std::vector<std::string_view> words_b = Words(b, inner_characters);
  if (words_a.size() != words_b.size() || words_a.size() < 3) return std::nullopt;
  for (size_t i = 0; i < words_a.size(); i += 2) {
    if (words_a[i] != words_b[i]) return std::nullopt;
  }
  Recipe recipe;
  for (size_t i = 0; i < words_a.size(); ++i) {
    Append(recipe, Align(key, words_a[i], words_b[i]));
  }
  return recipe;
}

void TokenTable::Link(std::vector<Recipe*> recipes) {
  LinkDigests();
  for (Recipe* recipe : recipes) SplitAround(*recipe);
}

void TokenTable::LinkDigests() {
  const size_t count = tokens_.size();
  for (size_t i = 0; i < count; ++i) {
    if (tokens_[i].fate != Token::Fate::kFresh) continue;
    for (const char* name : kDigests) {
      const auto found = by_sample_.find(Digest(name, Bytes(tokens_[i].sample)).Reveal());
      if (found == by_sample_.end() || found->second == i) continue;
      Token& digest = tokens_[found->second];
      digest.fate = Token::Fate::kHash;
      digest.hashed = i;
      digest.digest = name;
    }
  }
}

// "userABCDEFGH" where ABCDEFGH is a token of its own: the run is text and that token.
void TokenTable::SplitAround(Recipe& recipe) {
  Recipe result;
  for (Part& part : recipe) {
    SplitAround(part.inner);
    if (part.type != Part::Type::kToken || tokens_[part.token].fate == Token::Fate::kHash) {
      result.push_back(std::move(part));
      continue;
    }
    const std::string_view sample = Bytes(tokens_[part.token].sample);
    std::optional<size_t> embedded;
    for (size_t i = 0; i < tokens_.size(); ++i) {
      const std::string_view inner = Bytes(tokens_[i].sample);
      if (i == part.token || inner.size() < kShortestEmbedded || inner.size() >= sample.size() ||
          sample.find(inner) == std::string_view::npos) {
        continue;
      }
      if (!embedded.has_value() || inner.size() > tokens_[*embedded].sample->size()) embedded = i;
    }
    if (!embedded.has_value()) {
      result.push_back(std::move(part));
      continue;
    }
    const std::string_view inner = Bytes(tokens_[*embedded].sample);
    Recipe split;
    size_t at = 0;
    for (size_t found = sample.find(inner); found != std::string_view::npos;
         found = sample.find(inner, at)) {
      Append(split, {TextPart(sample.substr(at, found - at))});
      Part token;
      token.type = Part::Type::kToken;
      token.token = *embedded;
      split.push_back(std::move(token));
      at = found + inner.size();
    }
    Append(split, {TextPart(sample.substr(at))});
    Append(result, std::move(split));
  }
  recipe = std::move(result);
}

namespace {

void AssembleInto(const Recipe& recipe, const TokenValues& values, SecretBuilder& into) {
  for (const Part& part : recipe) {
    switch (part.type) {
      case Part::Type::kText:
        into.Append(Bytes(part.text));
        break;
      case Part::Type::kToken:
        into.Append(Bytes(values[part.token]));
        break;
      case Part::Type::kBase64: {
        SecretBuilder inner;
        AssembleInto(part.inner, values, inner);
        into.Append(vaultcore::Base64Encode(inner.Reveal()).Reveal());
        break;
      }
    }
  }
}

// The end of what a part that is no text may cover: where the text after it begins.
std::optional<size_t> EndBefore(const Recipe& recipe, size_t next, std::string_view value,
                                size_t at) {
  if (next == recipe.size()) return value.size();
  if (recipe[next].type != Part::Type::kText) return std::nullopt;
  const std::string_view text = Bytes(recipe[next].text);
  // The last part is found from the end: a token may hold what comes after it.
  if (next + 1 == recipe.size()) {
    if (!value.ends_with(text) || value.size() - text.size() < at) return std::nullopt;
    return value.size() - text.size();
  }
  const size_t found = value.find(text, at);
  if (found == std::string_view::npos) return std::nullopt;
  return found;
}

bool DissectInto(const Recipe& recipe, std::string_view value, std::map<size_t, Value>& tokens) {
  size_t at = 0;
  for (size_t i = 0; i < recipe.size(); ++i) {
    const Part& part = recipe[i];
    if (part.type == Part::Type::kText) {
      if (!value.substr(at).starts_with(Bytes(part.text))) return false;
      at += part.text->size();
      continue;
    }
    const std::optional<size_t> end = EndBefore(recipe, i + 1, value, at);
    if (!end.has_value() || *end == at) return false;
    const std::string_view piece = value.substr(at, *end - at);
    if (part.type == Part::Type::kToken) {
      const auto [known, inserted] = tokens.try_emplace(part.token, MakeValue(piece));
      if (!inserted && Bytes(known->second) != piece) return false;
    } else {
      const std::optional<Secret> inner = vaultcore::Base64Decode(piece);
      if (!inner.has_value() || !DissectInto(part.inner, inner->Reveal(), tokens)) return false;
    }
    at = *end;
  }
  return at == value.size();
}

}  // namespace

Secret Assemble(const Recipe& recipe, const TokenValues& values) {
  SecretBuilder value;
  AssembleInto(recipe, values, value);
  return value.Take();
}

std::optional<std::map<size_t, Value>> Dissect(const Recipe& recipe, std::string_view value) {
  std::map<size_t, Value> tokens;
  if (!DissectInto(recipe, value, tokens)) return std::nullopt;
  return tokens;
}

}  // namespace generator
