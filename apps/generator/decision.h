// Which value each need gets, and why. Pure.

#ifndef APPS_GENERATOR_DECISION_H_
#define APPS_GENERATOR_DECISION_H_

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "generator/needs.h"
#include "generator/recipe.h"
#include "generator/rendering.h"
#include "generator/value.h"

namespace generator {

enum class Class {
  kGenerated,  // a new value
  kConstant,   // what the chart, or the operator's values, hold
  kRendered,   // from one rendering: certificates and keys, and texts around new values
  kExternal,   // nobody here can make it: by hand
};

// Why a need is kExternal.
enum class Reason {
  kNone,
  kEmpty,        // the chart holds no value
  kPlaceholder,  // the chart holds a word that asks to be replaced
  kAbsent,       // the chart renders no such Secret or key
  kKubernetes,   // somebody goes on taking it from there: to be copied
  kDatabase,     // the credentials of a database that nobody here sets up
  kTls,          // certificates of a database that is set up elsewhere
  kAmbiguous,    // different Secrets, different values
};

struct Decision {
  Class cls = Class::kExternal;
  Reason reason = Reason::kNone;
  Recipe recipe;               // not for kExternal
  size_t group = 0;            // needs of one group must have one value
  bool is_public = false;      // a secret that anybody who has the chart knows
  bool from_values = false;    // kConstant: the operator's own
  std::vector<Source> embeds;  // kRendered: sources whose values stand inside
  Source source;               // the one that decided; empty name: none
};

// Everything a plan is made from.
struct Decisions {
  std::vector<Decision> by_need;  // as Needs::needs
  std::vector<Token> tokens;
  // Tokens of one bundle were rendered together and match each other only (a key, its certificate).
  std::vector<size_t> bundle_of_token;
};

// The operator's own values, by content.
using OwnValues = std::set<Value, ValueLess>;

// `first` and `second` are two renderings with the loader off.
Decisions Decide(const Needs& needs, const Rendering& first, const Rendering& second,
                 const OwnValues& own_values);

// True for words that stand for a value to be filled in: "<your key>", "REPLACE_ME". Not for
// "changeme" and "changeit": as defaults these work, and other parts rely on them.
bool IsPlaceholder(std::string_view value);

// True for a constant that is to be the same wherever it stands: not for short words, numbers, user
// names, hosts and the like, which are equal by chance.
bool IsSharedConstant(std::string_view key, std::string_view value);

}  // namespace generator

#endif  // APPS_GENERATOR_DECISION_H_
