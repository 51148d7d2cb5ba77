// bcrypt, as charts use it for password files (Helm's htpasswd and bcrypt functions): recognised,
// checked against a password, and made for a new one. Pure, but slow: about 50 ms each at the usual
// cost.

#ifndef APPS_GENERATOR_BCRYPT_H_
#define APPS_GENERATOR_BCRYPT_H_

#include <optional>
#include <string_view>
#include <utility>

#include "generator/form.h"
#include "vaultcore/base/secret.h"
#include "vaultcore/base/status.h"

namespace generator {

// Where the first bcrypt hash in `text` begins and ends; nullopt when there is none.
std::optional<std::pair<size_t, size_t>> FindBcrypt(std::string_view text);

// True when `hash` is that of `password`.
bool BcryptMatches(std::string_view password, std::string_view hash);

// A hash of `password` with a new salt, of the same variant and cost as `like`. Errors: kInternal.
vaultcore::StatusOr<vaultcore::Secret> BcryptLike(std::string_view password, std::string_view like,
                                                  const RandomBytes& random);

}  // namespace generator

#endif  // APPS_GENERATOR_BCRYPT_H_
