// Value: a secret's bytes that several parts of a plan refer to. Shared, immutable, wiped when the
// last one lets go.

#ifndef APPS_GENERATOR_VALUE_H_
#define APPS_GENERATOR_VALUE_H_

#include <memory>
#include <string_view>

#include "vaultcore/base/secret.h"

namespace generator {

using Value = std::shared_ptr<const vaultcore::Secret>;

inline Value MakeValue(vaultcore::Secret secret) {
  return std::make_shared<const vaultcore::Secret>(std::move(secret));
}
inline Value MakeValue(std::string_view bytes) {
  return MakeValue(vaultcore::Secret::CopyOf(bytes));
}

// Empty for a null pointer.
inline std::string_view Bytes(const Value& value) {
  return value == nullptr ? std::string_view() : value->Reveal();
}

// Orders values by content, so that equal ones meet in a map.
struct ValueLess {
  using is_transparent = void;
  bool operator()(const Value& a, const Value& b) const { return Bytes(a) < Bytes(b); }
  bool operator()(const Value& a, std::string_view b) const { return Bytes(a) < b; }
  bool operator()(std::string_view a, const Value& b) const { return a < Bytes(b); }
};

}  // namespace generator

#endif  // APPS_GENERATOR_VALUE_H_
