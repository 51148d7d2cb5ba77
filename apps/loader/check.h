// `check`: what the configuration asks for, and whether it is there and may be read. Never a value.

#ifndef APPS_LOADER_CHECK_H_
#define APPS_LOADER_CHECK_H_

#include <string>

#include "loader/fetch.h"

namespace loader {

struct CheckResult {
  std::string table;         // one line for each item, with a heading
  vaultcore::Status status;  // what a load would end with, as far as it can be known
};

// Reads every entry, and asks for the right to what a load reads last (credentials, templates'
// paths) instead of reading it. Warnings go to `log`. Never fails as a whole: what could not be
// found out stands in the table.
CheckResult Check(VaultReader& vault, const vaultcore::LoaderConfig& config, const FetchPlan& plan,
                  const Log& log);

}  // namespace loader

#endif  // APPS_LOADER_CHECK_H_
