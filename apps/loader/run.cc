#include "loader/run.h"

#include <absl/strings/str_cat.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "common/ui.h"
#include "loader/check.h"
#include "loader/connection.h"
#include "loader/fetch.h"
#include "loader/log.h"
#include "loader/output.h"
#include "loader/plan.h"
#include "vaultcore/base/file.h"
#include "vaultcore/base/publish.h"
#include "vaultcore/config/loader_config.h"

namespace loader {
namespace {

using vaultcore::Client;
using vaultcore::ClientOptions;
using vaultcore::EnvironmentLookup;
using vaultcore::ErrorKind;
using vaultcore::LoaderConfig;
using vaultcore::MakeError;
using vaultcore::Secret;
using vaultcore::Status;
using vaultcore::StatusOr;

constexpr size_t kMaxConfigBytes = 1 << 20;
constexpr char kTerminationLog[] = "/dev/termination-log";

StatusOr<LoaderConfig> ReadConfig(const std::string& path, const Log& log) {
  const StatusOr<Secret> text = vaultcore::ReadSecretFile(path, kMaxConfigBytes);
  if (!text.ok()) {
    // Without a configuration nothing of Vault is missing: it is the caller's mistake.
    return MakeError(ErrorKind::kUsage, absl::StrCat("configuration: ", text.status().message()),
                     "name it with --config or SECRETS_LOADER_CONFIG");
  }
  std::vector<std::string> warnings;
  StatusOr<LoaderConfig> config = vaultcore::ParseLoaderConfig(text->Reveal(), path, &warnings);
  for (const std::string& warning : warnings) log.Warning(warning);
  return config;
}

// Templates that stand in files of their own.
Status ReadTemplateSources(LoaderConfig& config) {
  for (vaultcore::LoaderTemplate& one : config.templates) {
    if (one.source.empty()) continue;
    StatusOr<std::string> contents = vaultcore::ReadTextFile(one.source, kMaxConfigBytes);
    if (!contents.ok()) {
      return MakeError(ErrorKind::kUsage, absl::StrCat("template: ", contents.status().message()),
                       vaultcore::HintOf(contents.status()));
    }
    one.contents = *std::move(contents);
  }
  return absl::OkStatus();
}

Status Publish(const LoaderConfig& config, Assembled assembled, const Log& log) {
  const size_t variables = assembled.variables.size();
  const size_t files = assembled.files.size();
  const size_t rendered = assembled.rendered.size();
  VC_ASSIGN_OR_RETURN(const vaultcore::PublishSet set,
                      MakePublishSet(config, std::move(assembled)));
  VC_RETURN_IF_ERROR(vaultcore::Publish(set));
  std::string done = absl::StrCat(config.service.empty() ? "" : config.service + ": ",
                                  Counted(variables, "variable"), " in ", config.env_file);
  if (config.files_enabled || files > 0) {
    absl::StrAppend(&done, ", ", Counted(files, "file"), " in ", config.files_folder);
  }
  if (rendered > 0) absl::StrAppend(&done, ", ", Counted(rendered, "template"));
  log.Info(done);
  return absl::OkStatus();
}

// Fetches and publishes, or checks, with a client that has logged in. Sets `keep_token` when what
// was published needs the login's token to live on.
Status Work(Client& client, const LoaderConfig& config, const FetchPlan& plan,
            const Options& options, const vaultcore::Cancellation& cancellation, const Log& log,
            bool& keep_token) {
  ClientReader vault(client);
  if (options.command == Options::Command::kCheck) {
    const CheckResult check = Check(vault, config, plan, log);
    VC_RETURN_IF_ERROR(apps::WriteAll(STDOUT_FILENO, check.table, "standard output"));
    return check.status;
  }
  VC_ASSIGN_OR_RETURN(Assembled assembled, Fetch(vault, config, plan, log));
  if (cancellation.cancelled()) return MakeError(ErrorKind::kCancelled, "cancelled by a signal");
  const bool holds_lease = assembled.holds_lease;
  VC_RETURN_IF_ERROR(Publish(config, std::move(assembled), log));
  // Revoking a token revokes the leases that were issued to it.
  keep_token = holds_lease;
  return absl::OkStatus();
}

Status Execute(const Options& options, const EnvironmentLookup& environment,
               const std::shared_ptr<vaultcore::Cancellation>& cancellation, const Log& log) {
  const auto deadline = std::chrono::steady_clock::now() + options.timeout;
  VC_ASSIGN_OR_RETURN(LoaderConfig config, ReadConfig(options.config_file, log));
  config.env_format = options.format.value_or(config.env_format);
  if (environment("SECRETS_LOADER_EXPANSION_SAFE") == "auto") config.env_expansion_safe = true;
  VC_RETURN_IF_ERROR(ReadTemplateSources(config));
  VC_ASSIGN_OR_RETURN(const FetchPlan plan, MakeFetchPlan(config));
  if (plan.empty()) {
    for (const std::string& warning : plan.warnings) log.Warning(warning);
    log.Info("nothing to do: the configuration switches all secrets off");
    return absl::OkStatus();
  }
  RequestReporter reporter(log);
  ClientOptions client_options;
  VC_ASSIGN_OR_RETURN(client_options.connection, MakeConnection(config, environment));
  const vaultcore::ConnectionSettings& connection = client_options.connection;
  if (connection.address.tls && connection.tls.skip_verify) {
    log.Warning(absl::StrCat("the certificate of ", connection.address.ToString(),
                             " is not verified, because the configuration or VAULT_SKIP_VERIFY "
                             "says so"));
  }
  // All waiting is bounded by the deadline, unless the environment asks for less.
  const auto max_retries = environment("VAULT_MAX_RETRIES");
  client_options.retry.max_retries =
      max_retries && !max_retries->empty() ? connection.max_retries : -1;
  client_options.expected_reads = static_cast<int>(plan.refs.size());
  client_options.concurrency =
      64;  // the streams of one HTTP/2 connection: all reads in one round trip
  client_options.deadline = deadline;
  client_options.cancellation = cancellation;
  client_options.observer = [&reporter](const vaultcore::RequestEvent& event) {
    reporter.Observe(event);
  };
  client_options.on_warning = [&log](std::string_view warning) {
    log.Warning(absl::StrCat("Vault says: ", vaultcore::Printable(warning)));
  };

  VC_ASSIGN_OR_RETURN(std::unique_ptr<vaultcore::AuthMethod> auth, MakeAuth(config, environment));
  VC_ASSIGN_OR_RETURN(Client client, Client::Connect(std::move(client_options), std::move(auth)));
  bool keep_token = false;
  const Status status = Work(client, config, plan, options, *cancellation, log, keep_token);
  if (keep_token) {
    log.Info("the login's token is kept, because issued database credentials end with it");
  } else if (const Status logout = client.Logout(); !logout.ok()) {
    log.Warning(absl::StrCat("the login's token was not revoked and lives until it expires: ",
                             logout.message()));
  }
  return status;
}

}  // namespace

vaultcore::ExitCode Run(std::string_view program, const Options& options,
                        const EnvironmentLookup& environment,
                        const std::shared_ptr<vaultcore::Cancellation>& cancellation) {
  const auto level = options.quiet     ? Log::Level::kQuiet
                     : options.verbose ? Log::Level::kVerbose
                                       : Log::Level::kNormal;
  const Log log(std::string(program), level, [](std::string_view line) {
    (void)apps::WriteAll(STDERR_FILENO, line, "standard error");
  });
  Status status;
  switch (options.command) {
    case Options::Command::kHelp:
      status = apps::WriteAll(STDOUT_FILENO, HelpText(program), "standard output");
      break;
    case Options::Command::kVersion:
      status = apps::WriteAll(
          STDOUT_FILENO,
          absl::StrCat(vaultcore::ToAbsl(program), " ", vaultcore::ToAbsl(apps::Version()), "\n"),
          "standard output");
      break;
    case Options::Command::kLoad:
    case Options::Command::kCheck:
      status = Execute(options, environment, cancellation, log);
      break;
  }
  if (status.ok()) return vaultcore::ExitCode::kOk;
  const std::string text = apps::FormatError(program, status);
  (void)apps::WriteAll(STDERR_FILENO, text, "standard error");
  if (options.command == Options::Command::kLoad) {
    const auto file = environment("SECRETS_LOADER_TERMINATION_LOG");
    LeaveTerminationReason(file && !file->empty() ? *file : kTerminationLog, text);
  }
  return vaultcore::ExitCodeFor(status);
}

}  // namespace loader
