// The env file: variables as a shell reads them. Pure.

#ifndef APPS_LOADER_ENV_FILE_H_
#define APPS_LOADER_ENV_FILE_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "vaultcore/base/secret.h"
#include "vaultcore/base/status.h"
#include "vaultcore/config/loader_config.h"

namespace loader {

struct Variable {
  vaultcore::Secret value;  // any bytes but NUL
  std::string source;       // "secret/harness/log-service/env-secrets", for messages
};

// By name; the order of the file. Names are valid environment names.
using Variables = std::map<std::string, Variable, std::less<>>;

// The file's content: one assignment for each variable, sorted by name, each ended by a newline; no
// variables: an empty file, or {} as JSON. Within single quotes every byte stands for itself in
// every POSIX shell; a single quote is written '\''.
//
// With `expansion_safe` (kShell and kExport), a value that IsChangedByExpansion is written as the
// text that the start command's second evaluation turns into it: its special characters are
// references to helper variables (VSL_DOLLAR and so on), which the file sets first. Such a variable
// is right only after that step, and all others before and after it.
vaultcore::Secret FormatEnvironment(const Variables& variables, vaultcore::EnvFormat format,
                                    bool expansion_safe);

// True for a value that the chart's start command changes after the file has been sourced: it
// evaluates every variable whose value holds "${", and a line of a value that looks like one.
bool IsChangedByExpansion(std::string_view value);

// Why a well-formed name must not be set from Vault, or nullptr when it may: setting it would break
// the shell that sources the file, or change which programs and libraries the application runs.
const char* ReservedBecause(std::string_view name);

}  // namespace loader

#endif  // APPS_LOADER_ENV_FILE_H_
