#include "generator/decision.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <numeric>
#include <optional>
#include <utility>

#include "generator/bcrypt.h"
#include "generator/values.h"
#include "vaultcore/base/encoding.h"

namespace generator {
namespace {

constexpr size_t kShortestShared = 8;
// At some 50 ms each.
constexpr size_t kMaxBcryptTries = 40;

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

// Joins numbers into sets.
class Sets {
 public:
  explicit Sets(size_t size) : parent_(size) {
    std::iota(parent_.begin(), parent_.end(), size_t{0});
  }
  size_t Find(size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void Join(size_t a, size_t b) {
    const size_t root_a = Find(a);
    const size_t root_b = Find(b);
    parent_[std::max(root_a, root_b)] = std::min(root_a, root_b);
  }

 private:
  std::vector<size_t> parent_;
};

class Decider {
 public:
  Decider(const Needs& needs, const Rendering& first, const Rendering& second,
          const OwnValues& own_values)
      : needs_(needs), first_(first), second_(second), own_values_(own_values) {}

  Decisions Decide() {
    MakeRecipes();
    FindTaintedTokens();
    for (const Need& need : needs_.needs) {
      if (need.kind == EntryKind::kDatabase) continue;
      for (const Source& source : need.sources) served_.insert(source);
    }
    Decisions result;
    for (const Need& need : needs_.needs) result.by_need.push_back(DecideNeed(need));
    result.tokens = table_.tokens();
    result.bundle_of_token = MakeBundles();
    return result;
  }

 private:
  // Of every Secret, not only of those that are needed: a needed value may hold one that is not.
  void MakeRecipes() {
    std::vector<Recipe*> recipes;
    for (const auto& [name, secret] : first_.secrets) {
      for (const auto& [key, value] : secret.data) {
        const Source source{name, key};
        const Value other = second_.Find(source);
        Recipe& recipe = recipes_[source];
        recipe = table_.Add(key, Bytes(value), other == nullptr ? Bytes(value) : Bytes(other));
        recipes.push_back(&recipe);
      }
    }
    table_.Link(recipes);
    LinkBcrypt();
    KeepWithKeystores();
    for (const auto& [source, recipe] : recipes_) {
      if (const std::optional<size_t> token = OnlyToken(recipe)) {
        by_token_.try_emplace(*token, source);
      }
    }
  }

  // The tokens of all Secrets that `in` is true for.
  template <typename In>
  std::vector<size_t> TokensWhere(const In& in) const {
    std::set<size_t> tokens;
    for (const auto& [source, recipe] : recipes_) {
      if (in(source)) tokens.merge(TokensOf(recipe));
    }
    return {tokens.begin(), tokens.end()};
  }

  // Which password a hash is of: one of the same Secret most often, else one of the same chart.
  void LinkBcrypt() {
    for (const auto& [source, recipe] : recipes_) {
      for (const size_t token : TokensOf(recipe)) {
        if (!FindBcrypt(Bytes(table_.tokens()[token].sample)).has_value()) continue;
        const std::vector<std::string>& chart = first_.secrets.at(source.secret).chart;
        std::vector<size_t> candidates =
            TokensWhere([&](const Source& each) { return each.secret == source.secret; });
        const std::vector<size_t> of_chart = TokensWhere([&](const Source& each) {
          return each.secret != source.secret && first_.secrets.at(each.secret).chart == chart;
        });
        candidates.insert(candidates.end(), of_chart.begin(), of_chart.end());
        LinkBcryptToOneOf(token, candidates);
      }
    }
  }

  void LinkBcryptToOneOf(size_t token, const std::vector<size_t>& candidates) {
    size_t tries = 0;
    for (const size_t candidate : candidates) {
      if (table_.tokens()[candidate].fate != Token::Fate::kFresh) continue;
      if (++tries > kMaxBcryptTries) return;
      if (BcryptMatches(Bytes(table_.tokens()[candidate].sample),
                        Bytes(table_.tokens()[token].sample))) {
        table_.SetBcryptOf(token, candidate);
        return;
      }
    }
  }

  // A keystore opens with the password that it was made with, which stands beside it.
  void KeepWithKeystores() {
    for (const auto& [name, secret] : first_.secrets) {
      const bool binary = std::any_of(secret.data.begin(), secret.data.end(), [](const auto& each) {
        return !vaultcore::IsValidUtf8(Bytes(each.second));
      });
      if (!binary) continue;
      for (const size_t token :
           TokensWhere([&](const Source& source) { return source.secret == name; })) {
        table_.KeepRendered(token);
      }
    }
  }

  bool StaysInKubernetes(const Source& source) const {
    return needs_.taken_from_kubernetes.contains(source) ||
           needs_.taken_from_kubernetes.contains(Source{source.secret, ""});
  }

  // Tokens that Kubernetes goes on handing out must not be invented for others.
  void FindTaintedTokens() {
    for (const auto& [source, recipe] : recipes_) {
      if (!StaysInKubernetes(source)) continue;
      for (const size_t token : TokensOf(recipe)) tainted_.insert(token);
    }
    for (size_t i = 0; i < table_.tokens().size(); ++i) {
      const Token& token = table_.tokens()[i];
      const bool derived = token.fate == Token::Fate::kHash || token.fate == Token::Fate::kBcrypt;
      if (derived && tainted_.contains(token.hashed)) tainted_.insert(i);
    }
  }

  size_t GroupOf(const Source& source, const Value& value, bool shared) {
    if (shared && value != nullptr) {
      return group_of_value_.try_emplace(value, NextGroup()).first->second;
    }
    return group_of_source_.try_emplace(source, NextGroup()).first->second;
  }
  size_t NextGroup() const { return group_of_value_.size() + group_of_source_.size(); }

  Decision External(Reason reason, const Source& source) {
    Decision decision;
    decision.reason = reason;
    decision.source = source;
    decision.group = GroupOf(source, nullptr, false);
    return decision;
  }

  Decision DecideSource(const Source& source) {
    const Value value = first_.Find(source);
    const bool stays = StaysInKubernetes(source);
    if (value == nullptr) return External(stays ? Reason::kKubernetes : Reason::kAbsent, source);
    if (value->empty()) return External(Reason::kEmpty, source);

    Decision decision;
    decision.source = source;
    decision.recipe = recipes_.at(source);
    const std::set<size_t> tokens = TokensOf(decision.recipe);
    const bool constant = tokens.empty();
    if (constant && IsPlaceholder(Bytes(value))) return External(Reason::kPlaceholder, source);
    decision.group =
        GroupOf(source, value, !constant || IsSharedConstant(source.key, Bytes(value)));
    if (constant) {
      decision.cls = Class::kConstant;
      decision.from_values = own_values_.contains(value);
      decision.is_public = !decision.from_values && IsSharedConstant(source.key, Bytes(value));
      return decision;
    }
    const bool tainted = std::any_of(tokens.begin(), tokens.end(),
                                     [&](size_t token) { return tainted_.contains(token); });
    if (tainted) {
      decision.reason = Reason::kKubernetes;
      decision.recipe.clear();
      return decision;
    }
    Classify(tokens, decision);
    return decision;
  }

  void Classify(const std::set<size_t>& tokens, Decision& decision) {
    const std::optional<size_t> only = OnlyToken(decision.recipe);
    const auto rendered = [&](size_t token) {
      return table_.tokens()[token].fate == Token::Fate::kRendered;
    };
    for (const size_t token : tokens) {
      const auto source = by_token_.find(token);
      if (only.has_value() || source == by_token_.end() || source->second == decision.source) {
        continue;
      }
      decision.embeds.push_back(source->second);
    }
    const bool any_rendered = std::any_of(tokens.begin(), tokens.end(), rendered);
    // Base64 around a new value is a new value; a text around one is the chart's.
    const bool bare = only.has_value() || (decision.recipe.size() == 1 &&
                                           OnlyToken(decision.recipe.front().inner).has_value());
    decision.cls = any_rendered || !bare ? Class::kRendered : Class::kGenerated;
  }

  Decision DecideNeed(const Need& need) {
    if (need.sources.empty()) {
      return External(need.tls_material ? Reason::kTls : Reason::kDatabase, DatabaseSource(need));
    }
    Decision decision = DecideSource(need.sources.front());
    for (size_t i = 1; i < need.sources.size(); ++i) {
      Decision other = DecideSource(need.sources[i]);
      const bool same =
          other.group == decision.group ||
          (other.cls == Class::kConstant && decision.cls == Class::kConstant &&
           Bytes(first_.Find(need.sources[i])) == Bytes(first_.Find(need.sources.front())));
      // One that somebody knows is better than one that nobody does.
      if (decision.cls == Class::kExternal && other.cls == Class::kConstant) {
        decision = std::move(other);
      } else if (!same && !(other.cls == Class::kExternal)) {
        return External(Reason::kAmbiguous, need.sources.front());
      }
    }
    if (need.kind == EntryKind::kDatabase) return DecideDatabase(need, std::move(decision));
    return decision;
  }

  // A password that only the clients of a database know would open nothing.
  Decision DecideDatabase(const Need& need, Decision decision) {
    const bool invented = decision.cls == Class::kGenerated || decision.cls == Class::kRendered;
    const bool server_takes_it =
        std::any_of(need.sources.begin(), need.sources.end(),
                    [&](const Source& source) { return served_.contains(source); });
    if (invented && !server_takes_it) {
      decision.cls = Class::kExternal;
      decision.reason = Reason::kDatabase;
      decision.recipe.clear();
    } else if (decision.cls == Class::kExternal && decision.reason != Reason::kKubernetes) {
      decision.reason = Reason::kDatabase;
    }
    return decision;
  }

  // A need without a source is a group of its own.
  static Source DatabaseSource(const Need& need) {
    return {{"", need.place.entry.ToString()}, need.place.key};
  }

  // What was rendered together in one Secret belongs together, across Secrets where one token
  // stands in several.
  std::vector<size_t> MakeBundles() {
    Sets sets(table_.tokens().size());
    std::map<ObjectName, size_t> of_secret;
    for (const auto& [source, recipe] : recipes_) {
      for (const size_t token : TokensOf(recipe)) {
        if (table_.tokens()[token].fate != Token::Fate::kRendered) continue;
        const auto [at, inserted] = of_secret.try_emplace(source.secret, token);
        if (!inserted) sets.Join(at->second, token);
      }
    }
    std::vector<size_t> bundles(table_.tokens().size());
    for (size_t i = 0; i < bundles.size(); ++i) bundles[i] = sets.Find(i);
    return bundles;
  }

  const Needs& needs_;
  const Rendering& first_;
  const Rendering& second_;
  const OwnValues& own_values_;
  TokenTable table_;
  std::map<Source, Recipe> recipes_;
  std::map<size_t, Source> by_token_;
  std::set<size_t> tainted_;
  std::set<Source> served_;  // to services as variables or files
  std::map<Value, size_t, ValueLess> group_of_value_;
  std::map<Source, size_t> group_of_source_;
};

}  // namespace

Decisions Decide(const Needs& needs, const Rendering& first, const Rendering& second,
                 const OwnValues& own_values) {
  return Decider(needs, first, second, own_values).Decide();
}

bool IsPlaceholder(std::string_view value) {
  std::string plain;
  for (const char c : Lower(value)) {
    if (c != '-' && c != '_' && c != ' ') plain.push_back(c);
  }
  if (plain.size() >= 2 && plain.front() == '<' && plain.back() == '>') return true;
  constexpr std::array<std::string_view, 3> kBegin = {"replaceme", "replacewith", "insertyour"};
  return std::any_of(kBegin.begin(), kBegin.end(),
                     [&](auto word) { return plain.starts_with(word); });
}

bool IsSharedConstant(std::string_view key, std::string_view value) {
  if (value.size() < kShortestShared ||
      value.find_first_not_of("0123456789.:-") == std::string_view::npos) {
    return false;
  }
  constexpr std::array<std::string_view, 10> kPlain = {"user", "host",   "port",  "url",     "uri",
                                                       "name", "region", "email", "address", "id"};
  const std::string lower = Lower(key);
  return LooksSecret(key) || std::none_of(kPlain.begin(), kPlain.end(),
                                          [&](auto word) { return lower.ends_with(word); });
}

}  // namespace generator
