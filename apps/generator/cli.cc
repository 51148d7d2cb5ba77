#include "generator/cli.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <utility>

#include "common/ui.h"
#include "generator/help.h"
#include "vaultcore/base/encoding.h"
#include "vaultcore/config/environment.h"

namespace generator {
namespace {

using vaultcore::ErrorKind;
using vaultcore::MakeError;
using vaultcore::Status;
using vaultcore::StatusOr;

constexpr char kSeeHelp[] = "vaultSecretGenerator generate --help lists the options";

// What the parser fills in before it is checked.
struct Raw {
  Options options;
  std::string format = "table";
  std::string timeout;
};

// An option that takes one argument each time it stands there: never the words that follow.
template <typename T>
CLI::Option* AddRepeatable(CLI::App& app, const std::string& names, std::vector<T>& into) {
  return app.add_option(names, into)->type_size(1)->allow_extra_args(false);
}

void AddSet(CLI::App& app, const std::string& flag, std::vector<SetFlag>& into) {
  app.add_option_function<std::vector<std::string>>(
         flag,
         [flag, &into](const std::vector<std::string>& arguments) {
           into.push_back({flag, arguments.back()});
         })
      ->type_size(1)
      ->allow_extra_args(false)
      ->trigger_on_parse();
}

CLI::App* AddCommand(CLI::App& app, const std::string& name, Raw& raw) {
  CLI::App* command = app.add_subcommand(name);
  Options& options = raw.options;
  command->add_option("RELEASE", options.release);
  command->add_option("CHART", options.chart);
  AddRepeatable(*command, "-f,--values", options.values_files);
  for (const char* flag : {"--set", "--set-string", "--set-file"}) {
    AddSet(*command, flag, options.sets);
  }
  command->add_option("-n,--namespace", options.name_space);
  command->add_option("--kube-version", options.kube_version);
  AddRepeatable(*command, "-a,--api-versions", options.api_versions);
  AddRepeatable(*command, "--manifests", options.manifests);
  command->add_option("--manifests-loader-on", options.manifests_loader_on);
  command->add_flag("--live", options.live);
  command->add_option("--kubeconfig", options.kubeconfig);
  command->add_option("--kube-context", options.kube_context);
  command->add_option("--helm", options.helm);
  command->add_option("--input-json", options.input_json);
  command->add_option("--output-json", options.output_json);
  command->add_option("--format", raw.format);
  command->add_flag("-q,--quiet", options.quiet);
  command->add_flag("-v,--verbose", options.verbose);
  command->add_option("--timeout", raw.timeout);
  if (name == "plan") command->add_flag("--exit-code", options.exit_code);
  return command;
}

// "--no-such=x" without what follows the name.
std::string OptionName(const std::string& argument) {
  return argument.substr(0, argument.find('='));
}

Status UnknownArguments(const CLI::App& command, const std::vector<std::string>& extras) {
  for (const std::string& extra : extras) {
    if (extra.size() < 2 || extra.front() != '-') continue;
    const std::string name = OptionName(extra);
    std::vector<std::string> known;
    for (const CLI::Option* option : command.get_options()) {
      for (const std::string& each : option->get_lnames()) known.push_back("--" + each);
    }
    const std::string near = vaultcore::ClosestMatch(name, known);
    return MakeError(ErrorKind::kUsage, "there is no option " + vaultcore::Printable(name, 60),
                     near.empty() ? kSeeHelp : "did you mean " + near + "?");
  }
  return MakeError(ErrorKind::kUsage, "too many arguments after the release and the chart",
                   "values files need -f each: -f values.yaml -f override.yaml");
}

// The library's own words begin with the option's name for an argument that is missing; others may
// repeat an argument.
Status FromParseError(const CLI::ParseError& error) {
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    const std::string words = error.what();
    std::string name = words.substr(0, words.find(':'));
    if (name == "--values") name = "-f (--values)";
    return MakeError(ErrorKind::kUsage, name + " needs one argument", kSeeHelp);
  }
  return MakeError(ErrorKind::kUsage, "the command line could not be understood", kSeeHelp);
}

Status CheckManifests(const Options& options) {
  if (options.manifests.empty()) {
    if (options.manifests_loader_on.empty()) return absl::OkStatus();
    return MakeError(ErrorKind::kUsage, "--manifests-loader-on needs --manifests too",
                     "--manifests is the rendering with the loader off");
  }
  if (options.manifests.size() > 2) {
    return MakeError(ErrorKind::kUsage, "--manifests may stand twice at most");
  }
  if (!options.sets.empty() || options.live || !options.kube_version.empty()) {
    return MakeError(ErrorKind::kUsage,
                     "--set, --live and --kube-version are for Helm; --manifests does without it");
  }
  return absl::OkStatus();
}

StatusOr<Options> Check(Raw raw) {
  Options& options = raw.options;
  VC_RETURN_IF_ERROR(CheckManifests(options));
  // The chart is needed for Helm only.
  if (!options.manifests.empty() && options.chart.empty()) options.chart = "-";
  if (options.release.empty() || options.chart.empty()) {
    return MakeError(ErrorKind::kUsage,
                     options.release.empty() ? "which release, and which chart?"
                                             : "which chart? Only one argument was given",
                     "vaultSecretGenerator generate RELEASE CHART -f values.yaml");
  }
  for (const std::string* positional : {&options.release, &options.chart}) {
    if (positional->front() == '-' && options.manifests.empty()) {
      return MakeError(ErrorKind::kUsage, "the release and the chart must not begin with '-'",
                       kSeeHelp);
    }
  }
  if (raw.format == "json") {
    options.format = Format::kJson;
  } else if (raw.format != "table") {
    return MakeError(ErrorKind::kUsage, "--format knows table and json");
  }
  if (options.quiet && options.verbose) {
    return MakeError(ErrorKind::kUsage, "--quiet and --verbose exclude each other");
  }
  if (!raw.timeout.empty()) {
    StatusOr<vaultcore::Milliseconds> timeout = vaultcore::ParseDuration(raw.timeout);
    if (!timeout.ok()) return vaultcore::Annotate(timeout.status(), "--timeout");
    if (timeout->count() <= 0) {
      return MakeError(ErrorKind::kUsage, "--timeout must be longer than nothing");
    }
    options.timeout = *timeout;
  }
  if (options.command != Command::kGenerate && !options.output_json.empty()) {
    return MakeError(ErrorKind::kUsage, "--output-json belongs to generate");
  }
  if (options.command == Command::kVerify && !options.input_json.empty()) {
    return MakeError(ErrorKind::kUsage, "--input-json belongs to generate and plan");
  }
  return std::move(options);
}

}  // namespace

StatusOr<std::variant<Options, Information>> ParseCommandLine(
    const std::vector<std::string>& arguments) {
  using Result = std::variant<Options, Information>;
  Raw raw;
  CLI::App app;
  app.allow_extras();
  app.set_version_flag("--version", std::string());
  const std::vector<std::pair<Command, CLI::App*>> commands = {
      {Command::kGenerate, AddCommand(app, "generate", raw)},
      {Command::kPlan, AddCommand(app, "plan", raw)},
      {Command::kVerify, AddCommand(app, "verify", raw)}};
  std::vector<Command> parsed;
  const CLI::App* command = nullptr;
  const auto find_parsed = [&] {
    for (const auto& [name, each] : commands) {
      if (!each->parsed()) continue;
      parsed.push_back(name);
      command = each;
    }
  };
  for (const auto& [name, each] : commands) each->allow_extras();

  // CLI11 takes the arguments from the back.
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    find_parsed();
    return Result(Information{parsed.empty() ? kHelp : kGenerateHelp});
  } catch (const CLI::CallForVersion&) {
    return Result(Information{std::string(kProgram) + " " + std::string(apps::Version()) + "\n"});
  } catch (const CLI::ParseError& error) {
    return FromParseError(error);
  }
  find_parsed();
  if (parsed.empty()) {
    return MakeError(ErrorKind::kUsage,
                     arguments.empty() ? "which command?" : "there is no such command",
                     "the commands are generate, plan and verify; vaultSecretGenerator --help");
  }
  if (parsed.size() > 1) {
    return MakeError(ErrorKind::kUsage, "one command at a time: generate, plan or verify");
  }
  if (const std::vector<std::string> extras = app.remaining(true); !extras.empty()) {
    return UnknownArguments(*command, extras);
  }
  raw.options.command = parsed.front();
  VC_ASSIGN_OR_RETURN(Options options, Check(std::move(raw)));
  return Result(std::move(options));
}

}  // namespace generator
