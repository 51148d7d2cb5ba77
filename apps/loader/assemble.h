// Assembling: from Vault's answers to variables and files. Pure; docs/loader-config.md has the
// rules.

#ifndef APPS_LOADER_ASSEMBLE_H_
#define APPS_LOADER_ASSEMBLE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "loader/env_file.h"
#include "loader/plan.h"
#include "vaultcore/api/kv.h"
#include "vaultcore/api/sys.h"
#include "vaultcore/config/loader_config.h"

namespace loader {

struct SecretFile {
  vaultcore::Secret content;
  std::string source;  // for messages
};

// By name, relative to the files folder: "tls.crt", "certs/ca.pem". Every name stays within the
// folder.
using SecretFiles = std::map<std::string, SecretFile, std::less<>>;

struct RenderedFile {
  std::string path;
  vaultcore::Secret content;
  uint32_t mode = 0600;
};

struct Assembled {
  Variables variables;
  SecretFiles files;
  std::vector<RenderedFile> rendered;  // of templates; Assemble leaves it empty
  bool holds_lease = false;            // something was issued that ends with the login's token
  std::vector<std::string> warnings;
};

// What is missing is decided on the KV answers alone, before credentials are issued for a run that
// fails anyway. `answers` are in the order of plan.refs. Returns the warnings about entries that
// are missing beside others. Errors: kNotFound when a required entry is missing, or when nothing at
// all is there, naming the paths.
vaultcore::StatusOr<std::vector<std::string>> CheckPresence(
    const vaultcore::LoaderConfig& config, const FetchPlan& plan,
    const std::vector<vaultcore::KvEntry>& answers);

// `answers` in the order of plan.refs, `credentials` in that of plan.roles. Of two sources that set
// one variable or file the later wins, in this order: env-secrets, file-secrets, static databases,
// entries, dynamic databases, each as configured; a warning tells when the values differ. Errors:
// kRejected (a value with a NUL byte for a variable, a file name that leaves the folder or is
// another's folder), kNotFound (a key that a required database lacks).
vaultcore::StatusOr<Assembled> Assemble(
    const vaultcore::LoaderConfig& config, const FetchPlan& plan,
    const std::vector<vaultcore::KvEntry>& answers,
    const std::vector<vaultcore::DatabaseCredentials>& credentials);

// True for a relative path that stays below its folder: no empty, "." or ".." part, no control
// characters, no part longer than 255 bytes.
bool IsSafeFileName(std::string_view name);

}  // namespace loader

#endif  // APPS_LOADER_ASSEMBLE_H_
