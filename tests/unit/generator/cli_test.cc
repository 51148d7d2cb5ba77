#include "generator/cli.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/status_matchers.h"

namespace generator {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using vaultcore::ErrorKind;
using vaultcore::HintOf;
using vaultcore::StatusIs;

Options Parsed(const std::vector<std::string>& arguments) {
  const auto parsed = ParseCommandLine(arguments);
  EXPECT_THAT(parsed, vaultcore::IsOk());
  if (!parsed.ok() || !std::holds_alternative<Options>(*parsed)) return {};
  return std::get<Options>(*parsed);
}

vaultcore::Status ErrorOf(const std::vector<std::string>& arguments) {
  return ParseCommandLine(arguments).status();
}

std::string InformationOf(const std::vector<std::string>& arguments) {
  const auto parsed = ParseCommandLine(arguments);
  if (!parsed.ok() || !std::holds_alternative<Information>(*parsed)) return "";
  return std::get<Information>(*parsed).text;
}

TEST(ParseCommandLine, OptionsStandAnywhereAndDoNotSwallowWhatFollows) {
  const std::vector<std::vector<std::string>> lines = {
      {"generate", "demo", "chart", "-f", "a", "-f", "b"},
      {"generate", "-f", "a", "demo", "-f", "b", "chart"},
      {"generate", "-f", "a", "-f", "b", "demo", "chart"},
      {"generate", "demo", "--values", "a", "chart", "--values=b"}};
  for (const auto& line : lines) {
    const Options options = Parsed(line);
    EXPECT_EQ(options.release, "demo");
    EXPECT_EQ(options.chart, "chart");
    EXPECT_THAT(options.values_files, ElementsAre("a", "b"));
  }
}

TEST(ParseCommandLine, SetsKeepTheirOrder) {
  const Options options = Parsed({"plan", "demo", "chart", "--set", "a=1,b=2", "--set-string",
                                  "c=3", "--set-file", "d=f", "--set", "e=4"});
  EXPECT_EQ(options.command, Command::kPlan);
  std::vector<std::string> sets;
  for (const SetFlag& set : options.sets) sets.push_back(set.flag + " " + set.argument);
  EXPECT_THAT(sets,
              ElementsAre("--set a=1,b=2", "--set-string c=3", "--set-file d=f", "--set e=4"));
}

TEST(ParseCommandLine, TakesEveryOption) {
  const Options options = Parsed({"generate",       "r",      "c",        "-n",           "ns",
                                  "--kube-version", "1.30",   "-a",       "x/v1",         "-a",
                                  "y/v1",           "--helm", "/h",       "--input-json", "in",
                                  "--output-json",  "out",    "--format", "json",         "-q",
                                  "--timeout",      "90s"});
  EXPECT_EQ(options.name_space, "ns");
  EXPECT_EQ(options.kube_version, "1.30");
  EXPECT_THAT(options.api_versions, ElementsAre("x/v1", "y/v1"));
  EXPECT_EQ(options.helm, "/h");
  EXPECT_EQ(options.input_json, "in");
  EXPECT_EQ(options.output_json, "out");
  EXPECT_EQ(options.format, Format::kJson);
  EXPECT_TRUE(options.quiet);
  EXPECT_EQ(options.timeout, vaultcore::Milliseconds(90'000));
}

TEST(ParseCommandLine, ManifestsStandInForHelmAndTheChart) {
  const Options options = Parsed({"verify", "r", "--manifests", "a", "--manifests", "-",
                                  "--manifests-loader-on", "c", "-f", "v"});
  EXPECT_EQ(options.command, Command::kVerify);
  EXPECT_THAT(options.manifests, ElementsAre("a", "-"));
  EXPECT_EQ(options.manifests_loader_on, "c");
  for (const std::vector<std::string>& line : std::vector<std::vector<std::string>>{
           {"plan", "r", "c", "--manifests-loader-on", "x"},
           {"plan", "r", "--manifests", "x", "--set", "a=b"},
           {"plan", "r", "--manifests", "x", "--live"},
           {"plan", "r", "--manifests", "x", "--manifests", "y", "--manifests", "z"}}) {
    EXPECT_THAT(ErrorOf(line), StatusIs(ErrorKind::kUsage, HasSubstr("--manifests")));
  }
}

TEST(ParseCommandLine, HelpAndVersionAreInformation) {
  EXPECT_THAT(InformationOf({"--help"}), HasSubstr("Usage:"));
  EXPECT_THAT(InformationOf({"-h"}), HasSubstr("Usage:"));
  EXPECT_THAT(InformationOf({"generate", "--help"}),
              AllOf(HasSubstr("VAULT_TOKEN"), HasSubstr("Exit codes:"), HasSubstr("Examples:")));
  EXPECT_THAT(InformationOf({"--version"}), HasSubstr("vaultSecretGenerator "));
}

TEST(ParseCommandLine, MisuseIsOneLineAndAHint) {
  EXPECT_THAT(ErrorOf({}), StatusIs(ErrorKind::kUsage, HasSubstr("which command")));
  EXPECT_THAT(ErrorOf({"generat"}), StatusIs(ErrorKind::kUsage, HasSubstr("no such command")));
  EXPECT_THAT(ErrorOf({"generate"}), StatusIs(ErrorKind::kUsage, HasSubstr("which release")));
  EXPECT_THAT(ErrorOf({"generate", "r"}), StatusIs(ErrorKind::kUsage, HasSubstr("which chart")));
  EXPECT_THAT(ErrorOf({"generate", "r", "c", "-f"}),
              StatusIs(ErrorKind::kUsage, HasSubstr("-f (--values) needs one argument")));
  EXPECT_THAT(ErrorOf({"generate", "r", "c", "--format", "xml"}),
              StatusIs(ErrorKind::kUsage, HasSubstr("--format")));
  EXPECT_THAT(ErrorOf({"generate", "r", "c", "--timeout", "soon"}),
              StatusIs(ErrorKind::kUsage, HasSubstr("--timeout")));
  EXPECT_THAT(ErrorOf({"generate", "r", "c", "--timeout", "0"}),
              StatusIs(ErrorKind::kUsage, HasSubstr("--timeout")));
  EXPECT_THAT(ErrorOf({"generate", "r", "c", "-q", "-v"}),
              StatusIs(ErrorKind::kUsage, HasSubstr("--quiet")));
  EXPECT_THAT(ErrorOf({"plan", "r", "c", "--output-json", "x"}),
              StatusIs(ErrorKind::kUsage, HasSubstr("--output-json")));
  EXPECT_THAT(ErrorOf({"verify", "r", "c", "--input-json", "x"}),
              StatusIs(ErrorKind::kUsage, HasSubstr("--input-json")));
  EXPECT_THAT(HintOf(ErrorOf({"generate", "r", "c", "--vaules", "x"})), HasSubstr("--values"));
}

TEST(ParseCommandLine, ArgumentsAreNotRepeated) {
  for (const std::vector<std::string>& line :
       std::vector<std::vector<std::string>>{{"generate", "r", "c", "canary"},
                                             {"generate", "r", "c", "--token", "canary"},
                                             {"generate", "r", "c", "--token=canary"},
                                             {"canary"},
                                             {"generate", "r", "c", "--quiet=canary"},
                                             {"generate", "r", "c", "--timeout", "canary"}}) {
    const vaultcore::Status status = ErrorOf(line);
    EXPECT_THAT(status, StatusIs(ErrorKind::kUsage, Not(HasSubstr("canary"))));
    EXPECT_THAT(HintOf(status), Not(HasSubstr("canary")));
  }
}

}  // namespace
}  // namespace generator
