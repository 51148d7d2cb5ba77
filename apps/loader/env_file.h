// The env file: variables as a shell reads them. Pure.

#ifndef APPS_LOADER_ENV_FILE_H_
#define APPS_LOADER_ENV_FILE_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "vaultcore/base/secret.h"
#include "vaultcore/base/status.h"

namespace loader {

struct Variable {
  vaultcore::Secret value;  // any bytes but NUL
  std::string source;       // "secret/harness/log-service/env-secrets", for messages
};

// By name; the order of the file. Names are valid environment names.
using Variables = std::map<std::string, Variable, std::less<>>;

// One NAME='value' for each variable, sorted by name, each ended by a newline. Within single quotes
// every byte stands for itself in every POSIX shell; a single quote is written '\''. No variables:
// an empty file.
vaultcore::Secret FormatShell(const Variables& variables);

// True for a value that the chart's start command changes after the file has been sourced: it
// evaluates every variable whose value holds "${", and a line of a value that looks like one.
bool IsChangedByExpansion(std::string_view value);

// Why a well-formed name must not be set from Vault, or nullptr when it may: setting it would break
// the shell that sources the file, or change which programs and libraries the application runs.
const char* ReservedBecause(std::string_view name);

}  // namespace loader

#endif  // APPS_LOADER_ENV_FILE_H_
