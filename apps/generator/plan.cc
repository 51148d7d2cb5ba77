#include "generator/plan.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "generator/bcrypt.h"
#include "generator/fitness.h"
#include "vaultcore/base/encoding.h"

namespace generator {
namespace {

using vaultcore::ErrorKind;
using vaultcore::KvEntry;
using vaultcore::MakeError;
using vaultcore::SecretRef;
using vaultcore::Status;
using vaultcore::StatusOr;

StatusOr<Value> HexDigest(const std::string& name, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size,
                 EVP_get_digestbyname(name.c_str()), nullptr) != 1) {
    return MakeError(ErrorKind::kInternal, "no " + name + " digest in this build of OpenSSL");
  }
  std::string hex =
      vaultcore::HexEncode({reinterpret_cast<const char*>(digest.data()), size_t{size}});
  return MakeValue(vaultcore::Secret::TakeAndWipe(hex));
}

class Planner {
 public:
  Planner(const Needs& needs, const Decisions& decisions, const Existing& existing, Mint& mint)
      : needs_(needs.needs),
        decisions_(decisions),
        existing_(existing),
        mint_(mint),
        values_(decisions.tokens.size()) {}

  StatusOr<Plan> Make() {
    plan_.rows.resize(needs_.size());
    for (size_t i = 0; i < needs_.size(); ++i) plan_.rows[i].need = i;
    ReadExisting();
    SeedTokens();
    FindBrokenBundles();
    for (Row& row : plan_.rows) VC_RETURN_IF_ERROR(DecideRow(row));
    MakeWrites();
    SetLevels();
    return std::move(plan_);
  }

 private:
  struct Known {
    Value value;
    Place place;
    bool conflict = false;
    std::string also_at;  // where another value was found
  };

  const KvEntry& EntryOf(const SecretRef& ref) const {
    static const KvEntry kAbsent;
    const auto found = existing_.find(ref);
    return found == existing_.end() ? kAbsent : found->second;
  }

  static std::string PlaceText(const Place& place) {
    return place.entry.ToString() + " " + place.key;
  }

  void ReadExisting() {
    for (Row& row : plan_.rows) {
      const Need& need = needs_[row.need];
      const KvEntry& entry = EntryOf(need.place.entry);
      const auto found = entry.data.find(need.place.key);
      if (found == entry.data.end()) continue;
      row.state = RowState::kPresent;
      Value value = MakeValue(vaultcore::KvText(found->second));
      // Empty stays where it is, but is no value to hand on.
      if (value->empty()) continue;
      const auto [at, inserted] = groups_.try_emplace(decisions_.by_need[row.need].group,
                                                      Known{value, need.place, false, {}});
      if (inserted || Bytes(at->second.value) == Bytes(value)) continue;
      at->second.conflict = true;
      at->second.also_at = PlaceText(need.place);
    }
  }

  const Known* KnownOf(const Decision& decision) const {
    const auto found = groups_.find(decision.group);
    return found == groups_.end() ? nullptr : &found->second;
  }

  // What Vault holds decides the tokens inside it: values that stand alone first, then those that
  // stand inside others.
  void SeedTokens() {
    for (const bool alone : {true, false}) {
      for (const Decision& decision : decisions_.by_need) {
        if (decision.recipe.empty() || OnlyToken(decision.recipe).has_value() != alone) continue;
        const Known* known = KnownOf(decision);
        if (known == nullptr || known->conflict) continue;
        const auto tokens = Dissect(decision.recipe, Bytes(known->value));
        if (!tokens.has_value()) continue;
        for (const auto& [token, value] : *tokens) {
          if (values_[token] == nullptr) values_[token] = value;
        }
      }
    }
  }

  // A bundle of which Vault holds a part from another rendering: the rest of this one does not
  // match it.
  void FindBrokenBundles() {
    for (const Decision& decision : decisions_.by_need) {
      for (const size_t token : TokensOf(decision.recipe)) {
        if (decisions_.tokens[token].fate == Token::Fate::kRendered && values_[token] != nullptr &&
            Bytes(values_[token]) != Bytes(decisions_.tokens[token].sample)) {
          const Known* known = KnownOf(decision);
          broken_.try_emplace(decisions_.bundle_of_token[token],
                              known == nullptr ? std::string() : PlaceText(known->place));
        }
      }
    }
  }

  Status DecideRow(Row& row) {
    if (row.state == RowState::kPresent) return DecidePresent(row);
    const Need& need = needs_[row.need];
    const Decision& decision = decisions_.by_need[row.need];
    const Known* known = KnownOf(decision);
    if (known == nullptr && decision.cls == Class::kExternal) {
      row.state = RowState::kByHand;
      return absl::OkStatus();
    }
    const KvEntry& entry = EntryOf(need.place.entry);
    if (entry.state == KvEntry::State::kDeleted || entry.state == KvEntry::State::kDestroyed) {
      row.state = RowState::kBlocked;
      row.problem = std::string("version ") + std::to_string(entry.version) + " was " +
                    (entry.state == KvEntry::State::kDeleted ? "deleted" : "destroyed") +
                    " in Vault and is not revived";
      return absl::OkStatus();
    }
    if (known != nullptr) {
      if (known->conflict) return Conflict(row, *known);
      row.taken_from = known->place;
      SetValue(row, known->value);
      return absl::OkStatus();
    }
    for (const size_t token : TokensOf(decision.recipe)) {
      const auto broken = broken_.find(decisions_.bundle_of_token[token]);
      if (decisions_.tokens[token].fate != Token::Fate::kRendered || broken == broken_.end() ||
          values_[token] != nullptr) {
        continue;
      }
      row.state = RowState::kConflict;
      row.problem = "belongs with " + broken->second + ", which is in Vault from another rendering";
      return absl::OkStatus();
    }
    for (const size_t token : TokensOf(decision.recipe)) VC_RETURN_IF_ERROR(DecideToken(token));
    SetValue(row, MakeValue(Assemble(decision.recipe, values_)));
    return absl::OkStatus();
  }

  void SetValue(Row& row, const Value& value) {
    const Need& need = needs_[row.need];
    Fitness fitness = CheckFitness(need.kind, need.place.key, value);
    if (!fitness.problem.empty()) {
      row.state = RowState::kBlocked;
      row.problem = std::move(fitness.problem);
      return;
    }
    if (!fitness.note.empty()) {
      plan_.notes.push_back(PlaceText(need.place) + ": " + fitness.note);
    }
    row.state = RowState::kToWrite;
    row_values_[row.need] = std::move(fitness.stored);
  }

  Status DecidePresent(Row& row) {
    const Known* known = KnownOf(decisions_.by_need[row.need]);
    if (known != nullptr && known->conflict) return Conflict(row, *known);
    return absl::OkStatus();
  }

  Status Conflict(Row& row, const Known& known) {
    row.state = RowState::kConflict;
    row.problem = "different values in Vault: " + PlaceText(known.place) + ", " + known.also_at;
    return absl::OkStatus();
  }

  Status DecideToken(size_t index) {
    if (values_[index] != nullptr) return absl::OkStatus();
    const Token& token = decisions_.tokens[index];
    if (token.fate == Token::Fate::kHash) {
      VC_RETURN_IF_ERROR(DecideToken(token.hashed));
      VC_ASSIGN_OR_RETURN(values_[index], HexDigest(token.digest, Bytes(values_[token.hashed])));
      return absl::OkStatus();
    }
    if (token.fate == Token::Fate::kBcrypt) {
      VC_RETURN_IF_ERROR(DecideToken(token.hashed));
      VC_ASSIGN_OR_RETURN(values_[index], mint_.MakeBcrypt(index, values_[token.hashed]));
      return absl::OkStatus();
    }
    VC_ASSIGN_OR_RETURN(values_[index], mint_.Make(index));
    return absl::OkStatus();
  }

  void MakeWrites() {
    std::map<SecretRef, Write> writes;
    for (const Row& row : plan_.rows) {
      if (row.state != RowState::kToWrite) continue;
      const Place& place = needs_[row.need].place;
      const KvEntry& entry = EntryOf(place.entry);
      const auto at = writes.find(place.entry);
      Write* write = at == writes.end() ? nullptr : &at->second;
      if (write == nullptr) {
        Write fresh{place.entry,     {}, vaultcore::CloneKvData(entry.data), entry.version,
                    entry.present(), 0};
        write = &writes.emplace(place.entry, std::move(fresh)).first->second;
      }
      write->rows.push_back(row.need);
      write->data[place.key] = vaultcore::Json::String(Bytes(row_values_[row.need]));
    }
    for (auto& [ref, write] : writes) {
      if (SizeOf(write.data) > kUsualEntryLimit) {
        plan_.notes.push_back(ref.ToString() +
                              ": larger than 1 MiB, which Vault's storage refuses unless its "
                              "max_entry_size says more");
      }
      plan_.writes.push_back(std::move(write));
    }
  }

  static size_t SizeOf(const vaultcore::KvData& data) {
    size_t size = 0;
    for (const auto& [key, value] : data) size += key.size() + value.AsText().size();
    return size;
  }

  // The token's leader is the first entry, in the order that every run has, that holds it: who
  // writes that one has decided the token.
  void SetLevels() {
    std::map<size_t, SecretRef> leader;
    const auto units = [&](size_t need) {
      std::set<size_t> tokens;
      for (const size_t token : TokensOf(decisions_.by_need[need].recipe)) {
        tokens.insert(token);
        const Token& each = decisions_.tokens[token];
        if (each.fate == Token::Fate::kHash || each.fate == Token::Fate::kBcrypt) {
          tokens.insert(each.hashed);
        }
        if (each.fate == Token::Fate::kRendered) tokens.insert(decisions_.bundle_of_token[token]);
      }
      return tokens;
    };
    for (size_t i = 0; i < needs_.size(); ++i) {
      for (const size_t token : units(i)) {
        const auto [at, inserted] = leader.try_emplace(token, needs_[i].place.entry);
        if (!inserted && needs_[i].place.entry < at->second) at->second = needs_[i].place.entry;
      }
    }
    std::map<SecretRef, Write*> by_ref;
    for (Write& write : plan_.writes) by_ref[write.ref] = &write;
    // Leaders come earlier in the order, so their level is final when it is looked at.
    for (Write& write : plan_.writes) {
      for (const size_t row : write.rows) {
        for (const size_t token : units(row)) {
          const auto led_by = by_ref.find(leader.at(token));
          if (led_by == by_ref.end() || led_by->second == &write) continue;
          write.level = std::max(write.level, led_by->second->level + 1);
        }
      }
    }
  }

  const std::vector<Need>& needs_;
  const Decisions& decisions_;
  const Existing& existing_;
  Mint& mint_;
  TokenValues values_;
  std::map<size_t, Known> groups_;
  std::map<size_t, std::string> broken_;  // bundle: where its other part is
  std::map<size_t, Value> row_values_;
  Plan plan_;
};

}  // namespace

StatusOr<Value> Mint::Make(size_t index) {
  Value& made = made_[index];
  if (made == nullptr) {
    const Token& token = tokens_[index];
    if (token.fate == Token::Fate::kRendered) {
      made = token.sample;
    } else {
      VC_ASSIGN_OR_RETURN(vaultcore::Secret value, Generate(token.form, random_));
      made = MakeValue(std::move(value));
    }
  }
  return made;
}

StatusOr<Value> Mint::MakeBcrypt(size_t index, const Value& password) {
  VC_ASSIGN_OR_RETURN(const Value digest, HexDigest("SHA256", Bytes(password)));
  Value& hash = hashes_[{index, std::string(Bytes(digest))}];
  if (hash == nullptr) {
    VC_ASSIGN_OR_RETURN(vaultcore::Secret made,
                        BcryptLike(Bytes(password), Bytes(tokens_[index].sample), random_));
    hash = MakeValue(std::move(made));
  }
  return hash;
}

StatusOr<Plan> MakePlan(const Needs& needs, const Decisions& decisions, const Existing& existing,
                        Mint& mint) {
  return Planner(needs, decisions, existing, mint).Make();
}

std::vector<SecretRef> EntriesOf(const Needs& needs) {
  std::set<SecretRef> entries;
  for (const Need& need : needs.needs) entries.insert(need.place.entry);
  for (const Needs::Unknown& unknown : needs.unknown) entries.insert(unknown.entry);
  return {entries.begin(), entries.end()};
}

}  // namespace generator
