// Where a service's secrets are in Vault: <engine>/<basePath>/<service>/env-secrets and
// .../file-secrets, and the static credentials of a database at <engine>/<basePath>/<database>.
// Generator and loader both use this and nothing else. Pure.

#ifndef VAULTCORE_MODEL_LAYOUT_H_
#define VAULTCORE_MODEL_LAYOUT_H_

#include <optional>
#include <string_view>

#include "vaultcore/model/path.h"

namespace vaultcore {

class SecretLayout {
 public:
  // `base_path` may be empty: entries then stand directly below the mount. Errors: kUsage.
  static StatusOr<SecretLayout> Create(std::string_view engine, std::string_view base_path);

  StatusOr<SecretRef> EnvSecrets(std::string_view service) const;
  StatusOr<SecretRef> FileSecrets(std::string_view service) const;
  StatusOr<SecretRef> Database(std::string_view name) const;

  const Mount& mount() const { return mount_; }

 private:
  SecretLayout(Mount mount, std::optional<SecretPath> base)
      : mount_(std::move(mount)), base_(std::move(base)) {}
  StatusOr<SecretRef> Below(std::string_view relative) const;

  Mount mount_;
  std::optional<SecretPath> base_;
};

// True when a key is a file by its extension, wherever it stands: .crt .pem .key .jks .p12 (case is
// ignored).
bool IsFileKey(std::string_view key);

// True for [A-Za-z_][A-Za-z0-9_]*.
bool IsEnvironmentName(std::string_view name);

}  // namespace vaultcore

#endif  // VAULTCORE_MODEL_LAYOUT_H_
