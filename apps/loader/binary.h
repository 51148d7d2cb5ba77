// Binary secrets: Vault's values are text, so key stores and DER files are kept as base64. Pure.

#ifndef APPS_LOADER_BINARY_H_
#define APPS_LOADER_BINARY_H_

#include <optional>
#include <string_view>

#include "vaultcore/base/secret.h"

namespace loader {

// The bytes behind `text`, if it is base64 (white space between is fine) of a file that can be told
// by its structure: a Java key store (JKS, JCEKS), DER (PKCS#12, certificates, keys) or a Kerberos
// keytab. nullopt for anything else. The whole structure is looked at, not only its first bytes:
// text that happens to be base64 stays text.
std::optional<vaultcore::Secret> DecodeKnownBinary(std::string_view text);

// True for the bytes of one of these formats.
bool IsKnownBinary(std::string_view bytes);

}  // namespace loader

#endif  // APPS_LOADER_BINARY_H_
