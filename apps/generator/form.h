// The form of a secret value: what a chart's sample looks like, and new values that look the same.
// Random bytes are a parameter; everything else is pure.

#ifndef APPS_GENERATOR_FORM_H_
#define APPS_GENERATOR_FORM_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "vaultcore/base/secret.h"
#include "vaultcore/base/status.h"

namespace generator {

// Fills `data` with random bytes; false when the system's generator fails.
using RandomBytes = std::function<bool(unsigned char* data, size_t size)>;
// From OpenSSL, which takes them from the system.
RandomBytes SystemRandomBytes();

struct Form {
  enum class Kind { kText, kHex, kBase64, kUuid };

  Kind kind = Kind::kText;
  std::string alphabet;  // kText; kHex: the digits, in upper or lower case
  size_t length = 0;     // kText: characters; kHex, kBase64: bytes
  bool padded = true;    // kBase64: with '=' at the end

  // "32 letters and digits", "32 bytes in hex", "a UUID".
  std::string Describe() const;
  friend bool operator==(const Form&, const Form&) = default;
};

// The form of a value that was `a` in one rendering and `b` in another. Where it would be weaker
// than 128 bits, it is lengthened, unless `exact_length`. Samples of no form that is known become
// letters and digits, 32 of them or as many as the sample has.
Form JudgeForm(std::string_view a, std::string_view b, bool exact_length);

// True for a sample of `size` characters under `key`, when a cipher may demand exactly that many.
bool DemandsExactLength(std::string_view key, size_t size);

// A new value: every one of the form's values is as likely as any other. Never holds a quote, `$`,
// backtick, backslash or brace. Errors: kInternal when there is no randomness.
vaultcore::StatusOr<vaultcore::Secret> Generate(const Form& form, const RandomBytes& random);

// True for "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" in hex digits.
bool IsUuid(std::string_view text);

}  // namespace generator

#endif  // APPS_GENERATOR_FORM_H_
