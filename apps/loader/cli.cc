#include "loader/cli.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>

#include <optional>

#include "vaultcore/base/encoding.h"

namespace loader {
namespace {

using vaultcore::EnvironmentLookup;
using vaultcore::ErrorKind;
using vaultcore::MakeError;
using vaultcore::Printable;
using vaultcore::Status;
using vaultcore::StatusOr;
using vaultcore::ToAbsl;

constexpr std::string_view kHelp =
    R"(PROGRAM: fetches a service's secrets from Vault and writes them to files

Usage:
  PROGRAM load  [options]   log in, fetch, write the env file and the secret files, exit
  PROGRAM check [options]   do the same but write nothing; print what is found and readable
  PROGRAM version           print the version

Options:
  --config FILE     the configuration (default: $SECRETS_LOADER_CONFIG, else
                    /etc/secrets-loader/config.yaml)
  --timeout TIME    give up after this long, "90s" or "5m" (default: $SECRETS_LOADER_TIMEOUT,
                    else 5m); until then an absent, sealed or standby Vault is waited for
  --format FORMAT   how the env file is written: sh, export, dotenv or json (default: the
                    configuration's, else sh)
  --quiet           print only warnings and errors
  --verbose         print a line for each request: method, path, status, time
  --version         print the version
  --help            print this text

Environment:
  VAULT_TOKEN       token login: the token, where the configuration holds none
  VAULT_ROLE_ID, VAULT_SECRET_ID
                    approle login: the credentials, where the configuration holds none
  VAULT_K8S_SERVICE_ACCOUNT_TOKEN_PATH
                    kubernetes login: file of the service account token, where the configuration
                    names none
  VAULT_ADDR, VAULT_NAMESPACE, VAULT_CACERT
                    used where the configuration does not say
  VAULT_CAPATH, VAULT_CACERT_BYTES, VAULT_CLIENT_CERT, VAULT_CLIENT_KEY,
  VAULT_TLS_SERVER_NAME, VAULT_SKIP_VERIFY, VAULT_CLIENT_TIMEOUT, VAULT_MAX_RETRIES,
  VAULT_RATE_LIMIT, VAULT_PROXY_ADDR, HTTPS_PROXY, HTTP_PROXY, NO_PROXY
                    as the Vault command line has them
  SECRETS_LOADER_EXPANSION_SAFE
                    "auto": as secrets.envSecrets.expansionSafe in the configuration
  SECRETS_LOADER_TERMINATION_LOG
                    where the reason of a failure is left (default: /dev/termination-log)

Files (unless the configuration names others):
  /opt/harness/secrets/.env     variables, quoted for sh:  set -a; . /opt/harness/secrets/.env
  /opt/harness/secrets/files/   one file for each secret that is a file
  All of them are replaced together or not at all.

Exit status:
  0 done   1 failed   2 usage or configuration   3 login or permission refused
  4 a secret is missing   5 Vault unreachable, sealed or out of time

Example:
  SECRETS_LOADER_CONFIG=config.yaml VAULT_CACERT=ca.crt PROGRAM check
)";

// The argument of an option: after '=', or the next word.
struct Cursor {
  const std::vector<std::string_view>& words;
  size_t next = 0;
};

Status UsageError(std::string_view message) {
  return MakeError(ErrorKind::kUsage, message, "see --help");
}

StatusOr<std::string> OptionValue(Cursor& cursor, std::string_view name,
                                  std::optional<std::string_view> inline_value) {
  if (!inline_value) {
    if (cursor.next == cursor.words.size()) {
      return UsageError(absl::StrCat(ToAbsl(name), " needs a value"));
    }
    inline_value = cursor.words[cursor.next++];
  }
  if (inline_value->empty()) {
    return UsageError(absl::StrCat(ToAbsl(name), " needs a value"));
  }
  return std::string(*inline_value);
}

Status SetTimeout(std::string_view where, std::string_view text, Options& options) {
  const StatusOr<vaultcore::Milliseconds> timeout = vaultcore::ParseDuration(text);
  if (!timeout.ok()) {
    return vaultcore::WithHint(vaultcore::Annotate(timeout.status(), where),
                               "write it as \"90s\" or \"5m\"");
  }
  if (timeout->count() <= 0) {
    return UsageError(absl::StrCat(ToAbsl(where), " must be more than 0"));
  }
  options.timeout = *timeout;
  return absl::OkStatus();
}

Status ParseOption(std::string_view word, Cursor& cursor, Options& options) {
  static const std::vector<std::string> kNames = {"--config",  "--timeout", "--format", "--quiet",
                                                  "--verbose", "--version", "--help"};
  const size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  std::optional<std::string_view> value;
  if (equals != std::string_view::npos) value = word.substr(equals + 1);

  if (name == "--config" || name == "-c") {
    VC_ASSIGN_OR_RETURN(options.config_file, OptionValue(cursor, name, value));
    return absl::OkStatus();
  }
  if (name == "--timeout") {
    VC_ASSIGN_OR_RETURN(const std::string text, OptionValue(cursor, name, value));
    return SetTimeout(name, text, options);
  }
  if (name == "--format") {
    VC_ASSIGN_OR_RETURN(const std::string text, OptionValue(cursor, name, value));
    options.format = vaultcore::ParseEnvFormat(text);
    if (!options.format) return UsageError("--format must be sh, export, dotenv or json");
    return absl::OkStatus();
  }
  if (value && (name == "--quiet" || name == "--verbose" || name == "--help")) {
    return UsageError(absl::StrCat(ToAbsl(name), " takes no value"));
  }
  if (name == "--quiet" || name == "-q") {
    options.quiet = true;
  } else if (name == "--verbose" || name == "-v") {
    options.verbose = true;
  } else {
    std::string message = absl::StrCat("unknown option \"", Printable(name, 60), "\"");
    const std::string close = vaultcore::ClosestMatch(name, kNames);
    if (!close.empty()) absl::StrAppend(&message, "; did you mean \"", close, "\"?");
    return UsageError(message);
  }
  return absl::OkStatus();
}

StatusOr<Options::Command> ParseCommand(std::string_view word) {
  if (word == "load") return Options::Command::kLoad;
  if (word == "check") return Options::Command::kCheck;
  if (word == "version") return Options::Command::kVersion;
  if (word == "help") return Options::Command::kHelp;
  std::string message = absl::StrCat("unknown command \"", Printable(word, 60), "\"");
  const std::string close = vaultcore::ClosestMatch(word, {"load", "check", "version", "help"});
  if (!close.empty()) absl::StrAppend(&message, "; did you mean \"", close, "\"?");
  return UsageError(message);
}

}  // namespace

StatusOr<Options> ParseCommandLine(const std::vector<std::string_view>& arguments,
                                   const EnvironmentLookup& environment) {
  Options options;
  // These two answer whatever else is on the line.
  for (const std::string_view word : arguments) {
    if (word == "--help" || word == "-h") {
      options.command = Options::Command::kHelp;
      return options;
    }
    if (word == "--version") {
      options.command = Options::Command::kVersion;
      return options;
    }
  }
  if (const auto file = environment("SECRETS_LOADER_CONFIG"); file && !file->empty()) {
    options.config_file = *file;
  }
  if (const auto timeout = environment("SECRETS_LOADER_TIMEOUT"); timeout && !timeout->empty()) {
    VC_RETURN_IF_ERROR(SetTimeout("SECRETS_LOADER_TIMEOUT", *timeout, options));
  }
  std::optional<Options::Command> command;
  Cursor cursor{arguments};
  while (cursor.next < arguments.size()) {
    const std::string_view word = arguments[cursor.next++];
    if (word.size() > 1 && word.front() == '-') {
      VC_RETURN_IF_ERROR(ParseOption(word, cursor, options));
      continue;
    }
    if (command) {
      return UsageError(absl::StrCat("unexpected argument \"", Printable(word, 60), "\""));
    }
    VC_ASSIGN_OR_RETURN(command, ParseCommand(word));
  }
  if (!command) return UsageError("no command given: load, check or version");
  options.command = *command;
  if (options.quiet && options.verbose) {
    return UsageError("--quiet and --verbose exclude each other");
  }
  return options;
}

std::string HelpText(std::string_view program) {
  return absl::StrReplaceAll(ToAbsl(kHelp), {{"PROGRAM", ToAbsl(program)}});
}

}  // namespace loader
