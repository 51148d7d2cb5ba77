// Whether a value can live in Vault and arrive in a pod as it is: found out before anything is
// written. Pure.

#ifndef APPS_GENERATOR_FITNESS_H_
#define APPS_GENERATOR_FITNESS_H_

#include <string>
#include <string_view>

#include "generator/needs.h"
#include "generator/value.h"

namespace generator {

struct Fitness {
  Value stored;         // what goes into Vault: the value, or base64 of a file that is no text
  std::string problem;  // set: it cannot be written, and why
  std::string note;     // set: it can, but somebody should know
};

// For a key that is about to be written.
Fitness CheckFitness(EntryKind kind, std::string_view key, const Value& value);

// Vault's integrated storage takes entries of up to this size, unless max_entry_size says more.
inline constexpr size_t kUsualEntryLimit = 1u << 20;

}  // namespace generator

#endif  // APPS_GENERATOR_FITNESS_H_
