#include "loader/cli.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

#include "support/status_matchers.h"

namespace loader {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using vaultcore::EnvironmentLookup;
using vaultcore::ErrorKind;
using vaultcore::IsOk;
using vaultcore::Milliseconds;
using vaultcore::StatusIs;
using vaultcore::StatusOr;

EnvironmentLookup Environment(std::map<std::string, std::string, std::less<>> variables = {}) {
  return [variables = std::move(variables)](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

StatusOr<Options> Parse(const std::vector<std::string_view>& arguments,
                        const EnvironmentLookup& environment = Environment()) {
  return ParseCommandLine(arguments, environment);
}

TEST(LoaderCommandLineTest, DefaultsOfLoad) {
  const auto options = Parse({"load"});
  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->command, Options::Command::kLoad);
  EXPECT_EQ(options->config_file, "/etc/secrets-loader/config.yaml");
  EXPECT_EQ(options->timeout, Milliseconds(300'000));
  EXPECT_FALSE(options->quiet);
  EXPECT_FALSE(options->verbose);
}

TEST(LoaderCommandLineTest, OptionsStandBeforeOrAfterTheCommandAndInBothForms) {
  for (const auto& arguments : std::vector<std::vector<std::string_view>>{
           {"--config", "a.yaml", "--timeout", "90s", "check", "--verbose"},
           {"check", "--config=a.yaml", "--timeout=90s", "-v"},
           {"check", "-c", "a.yaml", "--timeout=1m30s", "-v"},
       }) {
    const auto options = Parse(arguments);
    ASSERT_THAT(options, IsOk());
    EXPECT_EQ(options->command, Options::Command::kCheck);
    EXPECT_EQ(options->config_file, "a.yaml");
    EXPECT_EQ(options->timeout, Milliseconds(90'000));
    EXPECT_TRUE(options->verbose);
  }
}

TEST(LoaderCommandLineTest, TheCommandLineWinsOverTheEnvironment) {
  const auto environment =
      Environment({{"SECRETS_LOADER_CONFIG", "env.yaml"}, {"SECRETS_LOADER_TIMEOUT", "10s"}});
  const auto from_environment = Parse({"load"}, environment);
  ASSERT_THAT(from_environment, IsOk());
  EXPECT_EQ(from_environment->config_file, "env.yaml");
  EXPECT_EQ(from_environment->timeout, Milliseconds(10'000));
  const auto from_line = Parse({"load", "--config", "line.yaml", "--timeout", "1m"}, environment);
  ASSERT_THAT(from_line, IsOk());
  EXPECT_EQ(from_line->config_file, "line.yaml");
  EXPECT_EQ(from_line->timeout, Milliseconds(60'000));
}

TEST(LoaderCommandLineTest, FormatIsLeftToTheConfigurationUnlessGiven) {
  EXPECT_EQ(Parse({"load"})->format, std::nullopt);
  EXPECT_EQ(Parse({"load", "--format=json"})->format, vaultcore::EnvFormat::kJson);
  EXPECT_THAT(
      Parse({"load", "--format", "ini"}),
      StatusIs(ErrorKind::kUsage, HasSubstr("--format must be sh, export, dotenv or json")));
}

TEST(LoaderCommandLineTest, EmptyVariablesAreNotSet) {
  const auto options =
      Parse({"load"}, Environment({{"SECRETS_LOADER_CONFIG", ""}, {"SECRETS_LOADER_TIMEOUT", ""}}));
  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->config_file, "/etc/secrets-loader/config.yaml");
}

TEST(LoaderCommandLineTest, HelpAndVersionAnswerWhateverElseIsThere) {
  EXPECT_EQ(Parse({"load", "--nonsense", "--help"})->command, Options::Command::kHelp);
  EXPECT_EQ(Parse({"-h"})->command, Options::Command::kHelp);
  EXPECT_EQ(Parse({"help"})->command, Options::Command::kHelp);
  EXPECT_EQ(Parse({"--version"})->command, Options::Command::kVersion);
  EXPECT_EQ(Parse({"version"})->command, Options::Command::kVersion);
}

TEST(LoaderCommandLineTest, MisuseIsToldPlainly) {
  struct Case {
    std::vector<std::string_view> arguments;
    const char* message;
  };
  for (const Case& c : {
           Case{{}, "no command given: load, check or version"},
           Case{{"laod"}, "unknown command \"laod\"; did you mean \"load\"?"},
           Case{{"load", "--confg", "x"}, "unknown option \"--confg\"; did you mean \"--config\"?"},
           Case{{"load", "--config"}, "--config needs a value"},
           Case{{"load", "--config="}, "--config needs a value"},
           Case{{"load", "extra"}, "unexpected argument \"extra\""},
           Case{{"load", "--quiet=1"}, "--quiet takes no value"},
           Case{{"load", "--timeout", "0s"}, "--timeout must be more than 0"},
           Case{{"load", "-q", "-v"}, "--quiet and --verbose exclude each other"},
       }) {
    EXPECT_THAT(Parse(c.arguments), StatusIs(ErrorKind::kUsage, HasSubstr(c.message)));
  }
  EXPECT_THAT(Parse({"load", "--timeout", "soon"}),
              StatusIs(ErrorKind::kUsage, HasSubstr("--timeout")));
  EXPECT_THAT(Parse({"load"}, Environment({{"SECRETS_LOADER_TIMEOUT", "soon"}})),
              StatusIs(ErrorKind::kUsage, HasSubstr("SECRETS_LOADER_TIMEOUT")));
}

TEST(LoaderCommandLineTest, HelpNamesTheProgramThatWasCalled) {
  const std::string help = HelpText("secrets-manager");
  EXPECT_THAT(help, HasSubstr("secrets-manager load"));
  EXPECT_THAT(help, Not(HasSubstr("PROGRAM")));
}

}  // namespace
}  // namespace loader
