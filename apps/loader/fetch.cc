#include "loader/fetch.h"

#include <absl/strings/str_cat.h>

#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <utility>

namespace loader {
namespace {

using vaultcore::DatabaseCredentials;
using vaultcore::KvEntry;
using vaultcore::LoaderConfig;
using vaultcore::MessageOf;
using vaultcore::Status;
using vaultcore::StatusOr;

StatusOr<std::vector<KvEntry>> ReadEntries(VaultReader& vault, const FetchPlan& plan,
                                           const Log& log) {
  std::vector<KvEntry> entries;
  if (plan.refs.empty()) return entries;
  Status first_error;
  std::set<std::string, std::less<>> told;  // one cause often fails all reads alike
  entries.reserve(plan.refs.size());
  for (StatusOr<KvEntry>& result : vault.ReadMany(plan.refs)) {
    if (result.ok()) {
      entries.push_back(*std::move(result));
      continue;
    }
    const bool is_new = told.emplace(MessageOf(result.status())).second;
    if (first_error.ok()) {
      first_error = result.status();
    } else if (is_new) {
      log.Warning(MessageOf(result.status()));
    }
  }
  VC_RETURN_IF_ERROR(first_error);
  return entries;
}

}  // namespace

StatusOr<Assembled> Fetch(VaultReader& vault, const LoaderConfig& config, const FetchPlan& plan,
                          const Log& log) {
  for (const std::string& warning : plan.warnings) log.Warning(warning);
  VC_ASSIGN_OR_RETURN(const std::vector<KvEntry> entries, ReadEntries(vault, plan, log));
  VC_ASSIGN_OR_RETURN(const std::vector<std::string> missing, CheckPresence(config, plan, entries));
  for (const std::string& line : missing) log.Warning(absl::StrCat(line, "; going on without it"));

  std::vector<DatabaseCredentials> credentials;
  for (const DatabaseRole& role : plan.roles) {
    VC_ASSIGN_OR_RETURN(DatabaseCredentials issued,
                        vault.ReadDatabaseCredentials(role.mount, role.role));
    log.Info(absl::StrCat(role.Path(), ": credentials issued for ", issued.lease_duration.count(),
                          " s"));
    credentials.push_back(std::move(issued));
  }
  VC_ASSIGN_OR_RETURN(Assembled assembled, Assemble(config, plan, entries, credentials));
  for (const std::string& warning : assembled.warnings) log.Warning(warning);
  return assembled;
}

}  // namespace loader
