#include "vaultcore/model/kv_mapper.h"

namespace vaultcore {
namespace {

std::string Join(const KvMount& mount, const char* infix, const SecretPath& path) {
  std::string joined = mount.mount.text();
  if (mount.version == KvVersion::kV2) joined.append("/").append(infix);
  return joined.append("/").append(path.text());
}

}  // namespace

std::string KvDataPath(const KvMount& mount, const SecretPath& path) {
  return Join(mount, "data", path);
}

std::string KvMetadataPath(const KvMount& mount, const SecretPath& path) {
  return Join(mount, "metadata", path);
}

std::string KvListPath(const KvMount& mount, const SecretPath& folder) {
  return Join(mount, "metadata", folder);
}

}  // namespace vaultcore
