// Mounts and paths as types that cannot be joined wrongly.
//
// A Mount is where a secrets engine or auth method is mounted ("secret", "team/kv"); a SecretPath
// is a logical path below a KV mount ("harness/log-service/env-secrets"), without the "data/" of KV
// v2. Both are validated once, on parsing: segments are never empty, "." or "..", and hold no
// control characters. Values; thread-safe.

#ifndef VAULTCORE_MODEL_PATH_H_
#define VAULTCORE_MODEL_PATH_H_

#include <compare>
#include <string>
#include <string_view>

#include "vaultcore/base/status.h"

namespace vaultcore {

class Mount {
 public:
  // Leading and trailing slashes are dropped ("secret/" is "secret"). Errors: kUsage.
  static StatusOr<Mount> Parse(std::string_view text);

  const std::string& text() const { return text_; }
  friend auto operator<=>(const Mount&, const Mount&) = default;

 private:
  explicit Mount(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

class SecretPath {
 public:
  // Leading and trailing slashes are dropped. Errors: kUsage.
  static StatusOr<SecretPath> Parse(std::string_view text);

  // This path with further segments below it. Errors: as Parse.
  StatusOr<SecretPath> Child(std::string_view relative) const;

  const std::string& text() const { return text_; }
  friend auto operator<=>(const SecretPath&, const SecretPath&) = default;

 private:
  explicit SecretPath(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// An entry of a KV mount.
struct SecretRef {
  Mount mount;
  SecretPath path;

  // "secret/harness/log-service/env-secrets", as people write it.
  std::string ToString() const { return mount.text() + "/" + path.text(); }
  friend auto operator<=>(const SecretRef&, const SecretRef&) = default;
};

}  // namespace vaultcore

#endif  // VAULTCORE_MODEL_PATH_H_
