#include "loader/check.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace loader {
namespace {

using vaultcore::DatabaseCredentials;
using vaultcore::ErrorKind;
using vaultcore::KvEntry;
using vaultcore::LoaderConfig;
using vaultcore::MakeError;
using vaultcore::Status;
using vaultcore::StatusOr;

using Row = std::array<std::string, 4>;

std::string Format(const std::vector<Row>& rows) {
  std::array<size_t, 4> widths = {};
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string table;
  for (const Row& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      absl::StrAppend(&line, row[i], std::string(widths[i] + 2 - row[i].size(), ' '));
    }
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&table, line, "\n");
  }
  return table;
}

std::string Found(const StatusOr<KvEntry>& result) {
  if (!result.ok()) return "unknown";
  switch (result->state) {
    case KvEntry::State::kPresent:
      return absl::StrCat("yes, ", result->data.size(),
                          result->data.size() == 1 ? " key" : " keys");
    case KvEntry::State::kAbsent:
      return "no";
    case KvEntry::State::kDeleted:
      return absl::StrCat("deleted, version ", result->version);
    case KvEntry::State::kDestroyed:
      return absl::StrCat("destroyed, version ", result->version);
  }
  return "unknown";
}

std::string Readable(const StatusOr<KvEntry>& result) {
  if (result.ok()) return "yes";
  return vaultcore::KindOf(result.status()) == ErrorKind::kPermission ? "no" : "unknown";
}

// What a load would read only once all entries are there, because it may issue something: the
// token's right to it is asked for instead. Adds the rows; returns the first lack.
Status CheckLater(VaultReader& vault, const LoaderConfig& config, const FetchPlan& plan,
                  std::vector<Row>& rows) {
  std::vector<std::string> paths;
  paths.reserve(plan.roles.size() + plan.api_paths.size());
  for (const DatabaseRole& role : plan.roles) paths.push_back(role.Path());
  paths.insert(paths.end(), plan.api_paths.begin(), plan.api_paths.end());
  if (paths.empty()) return absl::OkStatus();
  const auto capabilities = vault.Capabilities(paths);
  Status status = capabilities.status();
  const auto add = [&](std::string label, size_t path, const char* found) {
    std::string readable = "unknown";
    if (capabilities.ok()) {
      const std::vector<std::string>& held = (*capabilities)[path];
      const bool allowed = std::any_of(held.begin(), held.end(), [](const std::string& name) {
        return name == "read" || name == "root";
      });
      readable = allowed ? "yes" : "no";
      if (!allowed && status.ok()) {
        status =
            MakeError(ErrorKind::kPermission, absl::StrCat("the token may not read ", paths[path]),
                      absl::StrCat("add to its policy: path \"", paths[path],
                                   "\" { capabilities = [\"read\"] }"));
      }
    }
    rows.push_back({std::move(label), paths[path], found, std::move(readable)});
  };
  for (const DynamicItem& item : plan.dynamic_items) {
    add(absl::StrCat("database ", config.databases[item.database].type), item.role,
        "issued on load");
  }
  for (size_t i = 0; i < plan.api_paths.size(); ++i) {
    add("templates", plan.roles.size() + i, "read on load");
  }
  return status;
}

}  // namespace

CheckResult Check(VaultReader& vault, const LoaderConfig& config, const FetchPlan& plan,
                  const Log& log) {
  for (const std::string& warning : plan.warnings) log.Warning(warning);
  std::vector<StatusOr<KvEntry>> results;
  if (!plan.refs.empty()) results = vault.ReadMany(plan.refs);

  CheckResult check;
  std::vector<Row> rows = {{"ITEM", "PATH", "FOUND", "READABLE"}};
  for (const KvItem& item : plan.items) {
    const StatusOr<KvEntry>& result = results[item.ref];
    rows.push_back(
        {item.Label(config), plan.refs[item.ref].ToString(), Found(result), Readable(result)});
    if (check.status.ok()) check.status = result.status();
  }
  const Status later = CheckLater(vault, config, plan, rows);
  check.table = Format(rows);
  if (check.status.ok()) check.status = later;
  if (!check.status.ok()) return check;

  std::vector<KvEntry> entries;
  entries.reserve(results.size());
  for (StatusOr<KvEntry>& result : results) entries.push_back(*std::move(result));
  const auto missing = CheckPresence(config, plan, entries);
  if (!missing.ok()) {
    check.status = missing.status();
    return check;
  }
  // Stand-ins for what is issued on load, so that everything else is judged as a load would.
  std::vector<DatabaseCredentials> credentials(plan.roles.size());
  const auto assembled = Assemble(config, plan, entries, credentials);
  if (!assembled.ok()) {
    check.status = assembled.status();
    return check;
  }
  for (const std::string& warning : assembled->warnings) log.Warning(warning);
  absl::StrAppend(&check.table, Counted(assembled->variables.size(), "variable"), " for ",
                  config.env_file, ", ", Counted(assembled->files.size(), "file"), " for ",
                  config.files_folder, "\n");
  return check;
}

}  // namespace loader
