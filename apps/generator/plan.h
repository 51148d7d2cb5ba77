// The plan: what is written to Vault, what stays, what is left to people. Pure.
//
// What is in Vault always stays. A value that some places of a group have already goes to the
// others; two different ones are a conflict and are left alone. New values are made once and kept
// in a Mint, so that a plan that is made again, after somebody else wrote in between, differs only
// where it must.

#ifndef APPS_GENERATOR_PLAN_H_
#define APPS_GENERATOR_PLAN_H_

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "generator/decision.h"
#include "generator/form.h"
#include "generator/needs.h"
#include "vaultcore/api/kv.h"

namespace generator {

// What Vault held when it was read.
using Existing = std::map<vaultcore::SecretRef, vaultcore::KvEntry>;

// Makes new values for tokens, each once.
class Mint {
 public:
  Mint(const std::vector<Token>& tokens, RandomBytes random)
      : tokens_(tokens), random_(std::move(random)), made_(tokens.size()) {}

  // Errors: kInternal when there is no randomness.
  vaultcore::StatusOr<Value> Make(size_t token);
  // For a token that is a bcrypt hash: that of `password`, always the same one for the same
  // password.
  vaultcore::StatusOr<Value> MakeBcrypt(size_t token, const Value& password);

 private:
  const std::vector<Token>& tokens_;
  RandomBytes random_;
  TokenValues made_;
  std::map<std::pair<size_t, std::string>, Value> hashes_;  // by token and password's digest
};

enum class RowState {
  kPresent,   // in Vault already
  kToWrite,   // will be written
  kByHand,    // to be added by hand
  kConflict,  // places of its group have different values in Vault; or what it belongs with does
  kBlocked,  // its entry was deleted in Vault and is not revived, or its value cannot be kept there
};

struct Row {
  size_t need = 0;  // index into Needs::needs
  RowState state = RowState::kByHand;
  std::optional<Place> taken_from;  // kToWrite: where in Vault the group's value is already
  std::string problem;              // kConflict, kBlocked: what is wrong
};

// One entry to be written.
struct Write {
  vaultcore::SecretRef ref;
  std::vector<size_t> rows;  // the rows that it adds
  vaultcore::KvData data;    // all of the entry, what was there before included
  uint64_t based_on = 0;     // the version read; 0: absent
  bool existed = false;
  // Writes of level 0 can go at once. A higher one goes when those below have succeeded: they
  // decide values that it shares, should another generator be at work at the same time.
  int level = 0;
};

struct Plan {
  std::vector<Row> rows;  // one for each need
  std::vector<Write> writes;
  std::vector<std::string> notes;
};

// Errors: kInternal when there is no randomness.
vaultcore::StatusOr<Plan> MakePlan(const Needs& needs, const Decisions& decisions,
                                   const Existing& existing, Mint& mint);

// The entries that have to be read for a plan, in order, each once.
std::vector<vaultcore::SecretRef> EntriesOf(const Needs& needs);

}  // namespace generator

#endif  // APPS_GENERATOR_PLAN_H_
