// Encodings that Vault, Kubernetes and secrets need. Pure functions; thread-safe.

#ifndef VAULTCORE_BASE_ENCODING_H_
#define VAULTCORE_BASE_ENCODING_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vaultcore/base/secret.h"

namespace vaultcore {

// RFC 4648 base64, standard alphabet with padding. Encode yields no line breaks.
Secret Base64Encode(std::string_view bytes);
// Strict: nullopt for anything that is not canonical padded base64. White space is accepted where
// `allow_whitespace`.
std::optional<Secret> Base64Decode(std::string_view text, bool allow_whitespace = false);
// RFC 4648 section 5 (URL alphabet), padding optional: JWT segments.
std::optional<Secret> Base64UrlDecode(std::string_view text);

std::string HexEncode(std::string_view bytes);

// RFC 3986 percent-encoding of everything but unreserved characters; '/' stays when `keep_slash`.
std::string PercentEncode(std::string_view text, bool keep_slash);

// True for well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool IsValidUtf8(std::string_view text);

// The closest of `candidates` by edit distance, for "did you mean"; empty when none is near.
std::string ClosestMatch(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace vaultcore

#endif  // VAULTCORE_BASE_ENCODING_H_
