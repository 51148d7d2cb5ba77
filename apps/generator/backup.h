// Backups: what --output-json writes and --input-json reads. Pure.
//
//   {"format": "vaultcore-backup/1", "engine": "secret", "basePath": "harness",
//    "entries": {"secret/harness/accounts/env-secrets": {"KEY": "value"}}}
//
// A plain {"path": {"key": "value"}} is read too, with paths that begin with the engine or stand
// below it.

#ifndef APPS_GENERATOR_BACKUP_H_
#define APPS_GENERATOR_BACKUP_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "generator/plan.h"
#include "vaultcore/base/secret.h"
#include "vaultcore/base/status.h"
#include "vaultcore/client/client.h"

namespace generator {

// The release's place in Vault.
struct BackupTarget {
  std::string engine;
  std::string base_path;
};

// What Vault holds once `plan` is written: those of `existing` that are present, with what the plan
// adds. JSON that people can read.
vaultcore::Secret FormatBackup(const BackupTarget& target, const Existing& existing,
                               const Plan& plan);

// The entries of a backup or a plain file, at their places below `target`: a backup that was made
// below another engine and base path moves to this one. Errors: kUsage for a text that is none, and
// for an entry that would be outside of `target`; names it.
vaultcore::StatusOr<std::vector<vaultcore::KvWrite>> ParseBackup(std::string_view text,
                                                                 std::string_view source_name,
                                                                 const BackupTarget& target);

// What is to be written so that every key of `wanted` is in Vault and nothing there changes, and
// what became of each key, as rows of needs that stand for them.
struct Restore {
  Needs needs;
  Decisions decisions;
  std::vector<vaultcore::KvWrite> wanted;

  Plan MakePlan(const Existing& existing) const;
};
Restore MakeRestore(std::vector<vaultcore::KvWrite> wanted);

}  // namespace generator

#endif  // APPS_GENERATOR_BACKUP_H_
