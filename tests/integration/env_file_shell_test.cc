// The env file read by real shells: every value comes back byte for byte.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "common/process.h"
#include "common/ui.h"
#include "loader/env_file.h"
#include "support/status_matchers.h"
#include "vaultcore/base/encoding.h"

namespace loader {
namespace {

using vaultcore::EnvFormat;
using vaultcore::IsOk;
using vaultcore::Secret;

using Values = std::map<std::string, std::string, std::less<>>;

struct Shell {
  const char* name;
  std::vector<std::string> arguments;  // the shell's own, "sh" of busybox
  friend void PrintTo(const Shell& shell, std::ostream* out) { *out << shell.name; }
};

class EnvFileShellTest : public ::testing::TestWithParam<Shell> {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "env-file-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    const auto program = apps::FindProgram(GetParam().arguments[0], apps::ProcessEnvironment());
    ASSERT_THAT(program, IsOk());
    shell_ = GetParam().arguments;
    shell_[0] = *program;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // How the file is written, what the shell does after sourcing it, and in which locale.
  struct Way {
    EnvFormat format = EnvFormat::kShell;
    bool expansion_safe = false;
    std::string then = "";
    std::string locale = "C";
  };

  // Writes `values` as the loader does, sources the file as the chart's start command does, and
  // returns the environment of the program that is started then.
  Values ThroughTheShell(const Values& values, const Way& way) {
    Variables variables;
    for (const auto& [name, value] : values) {
      variables.emplace(name, Variable{Secret::CopyOf(value), "test"});
    }
    const std::string path = folder_ / ".env";
    {
      std::ofstream file(path, std::ios::binary);
      file << FormatEnvironment(variables, way.format, way.expansion_safe).Reveal();
    }
    apps::ProcessSpec spec;
    spec.argv = shell_;
    spec.argv.insert(spec.argv.end(),
                     {"-c", "set -a && . " + path + " && set +a && " + way.then + "exec env -0"});
    spec.environment = {"PATH=/usr/bin:/bin", "LC_ALL=" + way.locale};
    const auto results = apps::RunProcesses({spec}, {});
    EXPECT_THAT(results, IsOk());
    Values received;
    if (!results.ok()) return received;
    EXPECT_EQ(results->at(0).exit_code, 0) << results->at(0).standard_error.Reveal();
    std::string_view output = results->at(0).standard_output.Reveal();
    while (!output.empty()) {
      const size_t end = output.find('\0');
      const std::string_view entry = output.substr(0, end);
      const size_t equals = entry.find('=');
      received.emplace(entry.substr(0, equals), entry.substr(equals + 1));
      output.remove_prefix(end == std::string_view::npos ? output.size() : end + 1);
    }
    return received;
  }

  void ExpectRoundTrip(const Values& values, const Way& way) {
    const Values received = ThroughTheShell(values, way);
    for (const auto& [name, value] : values) {
      const auto found = received.find(name);
      ASSERT_TRUE(found != received.end()) << name << " did not arrive";
      ASSERT_EQ(found->second, value) << "as " << name;
    }
  }

  std::filesystem::path folder_;
  std::vector<std::string> shell_;
};

std::string Name(size_t number) { return "VC_" + std::to_string(number); }

// Draws values that shells are known to trip over.
class HostileValues {
 public:
  explicit HostileValues(uint32_t seed) : random_(seed) {}

  // As Next(), but well-formed UTF-8, as all values in Vault are.
  std::string NextText() {
    std::string value = Next();
    while (!vaultcore::IsValidUtf8(value)) value = Next();
    return value;
  }

  std::string Next() {
    static const std::vector<std::string> kPieces = {
        "'",
        "\"",
        "\\",
        "$",
        "`",
        "${x}",
        "$(touch F)",
        "`id`",
        "\n",
        "\r",
        "\r\n",
        "\t",
        "\\\n",
        "!",
        "!!",
        "#",
        " #",
        "=",
        "~",
        "~root",
        "*",
        "?",
        "[a-z]",
        "{a,b}",
        ";",
        "&",
        "&&",
        "|",
        "<",
        "<<EOF",
        "\nEOF\n",
        ">",
        "(",
        ")",
        "%s",
        " ",
        "  ",
        "\x01",
        "\x7f",
        "\x80",
        "\x81",
        "\x82",
        "\x88",
        "\xff",
        "\xc3\xa9",
        "\xc3",
        "\u2028",
        "\xf0\x9f\x94\x91",
        "''",
        "'\\''",
        "$'\\n'",
        "\nA='1'\n",
        "\nexport B=2\n",
        "-n",
        "\x1b[0m",
        "password",
        "0",
        "\\'",
        "\\\\",
        "$((1/0))",
        "\x08",
    };
    std::string value;
    const size_t pieces = Below(12);
    for (size_t i = 0; i < pieces; ++i) {
      if (Below(4) == 0) {
        value += static_cast<char>(1 + Below(255));
      } else {
        value += kPieces[Below(kPieces.size())];
      }
    }
    return value;
  }

 private:
  size_t Below(size_t limit) {
    return std::uniform_int_distribution<size_t>(0, limit - 1)(random_);
  }

  std::mt19937 random_;
};

TEST_P(EnvFileShellTest, EverySingleByte) {
  Values values;
  for (int byte = 1; byte < 256; ++byte) {
    const auto character = static_cast<char>(byte);
    const auto number = static_cast<size_t>(byte);
    values[Name(number)] = std::string(1, character);
    values[Name(1000 + number)] = std::string("a") + character + "b" + character;
    values[Name(2000 + number)] = std::string("'") + character + "'" + character;
  }
  ExpectRoundTrip(values, {});
  ExpectRoundTrip(values, {.locale = "C.UTF-8"});
  ExpectRoundTrip(values, {.format = EnvFormat::kExport});
  ExpectRoundTrip(values, {.format = EnvFormat::kDotenv});
}

TEST_P(EnvFileShellTest, AHundredThousandHostileValues) {
  constexpr size_t kValues = 100'000;
  constexpr size_t kPerFile = 4'000;  // well below what one environment holds
  HostileValues hostile(20260101);
  for (size_t done = 0; done < kValues; done += kPerFile) {
    Values values;
    for (size_t i = 0; i < kPerFile; ++i) values[Name(done + i)] = hostile.Next();
    ExpectRoundTrip(values, {.locale = done % (2 * kPerFile) == 0 ? "C" : "C.UTF-8"});
    if (HasFatalFailure()) return;
  }
}

// What a public chart does between sourcing the file and starting the application.
constexpr char kChartExpansion[] = R"(for var in $(env | grep '\${' | cut -d= -f1); )"
                                   R"(do eval "export $var=\"$(eval echo \"\$$var\")\""; done && )";

TEST_P(EnvFileShellTest, ValuesComeOutOfTheChartsExpansionUnchanged) {
  constexpr size_t kPerFile = 200;  // each starts several processes
  HostileValues hostile(99);
  for (const char* locale : {"C", "C.UTF-8"}) {
    Values values;
    for (size_t i = 0; i < kPerFile; ++i) {
      std::string value = hostile.NextText();
      if (i % 2 == 0) value += "${x" + hostile.NextText();
      values[Name(i)] = value;
    }
    // The step is at work: without precautions it changes such a value.
    const Values changed =
        ThroughTheShell({{"VC_URL", "a${x}b"}}, {.then = kChartExpansion, .locale = locale});
    EXPECT_EQ(changed.at("VC_URL"), "ab");

    values["VC_ALONE"] = "${";
    values["VC_ONE_LINE"] = "postgres://u:${P}@h/\"db\"?x=`id`&y=$(id)\\n";
    values["VC_LINES"] = "a\nb=${HOME}\nVC_ALONE=${x}\n\n";
    ExpectRoundTrip(values, {.expansion_safe = true, .then = kChartExpansion, .locale = locale});
  }
}

TEST_P(EnvFileShellTest, LongValues) {
  HostileValues hostile(7);
  std::string quotes(60'000, '\'');
  std::string lines;
  while (lines.size() < 120'000) lines += hostile.Next() + "\n";
  ExpectRoundTrip({{"VC_QUOTES", quotes}, {"VC_LINES", lines}, {"VC_EMPTY", ""}}, {});
}

// What the file must not set because a shell would stumble: the rest of the file would be lost.
TEST_P(EnvFileShellTest, NamesThatThisShellKnowsArriveOrAreReserved) {
  std::vector<std::string> names = {"BASHPID",     "BASH_ARGV0", "COMP_WORDBREAKS",
                                    "DIRSTACK",    "EUID",       "FUNCNAME",
                                    "GROUPS",      "HISTCMD",    "JOBMAX",
                                    "KSH_VERSION", "LINENO",     "OPTARG",
                                    "OPTIND",      "PIPESTATUS", "PPID",
                                    "RANDOM",      "REPLY",      "SECONDS",
                                    "SHELL",       "SHELLOPTS",  "SHLVL",
                                    "SRANDOM",     "UID",        "_",
                                    "HOME",        "PWD",        "OLDPWD",
                                    "MAILCHECK",   "TMOUT",      "PS1",
                                    "PS2",         "CDPATH",     "FPATH",
                                    "HISTFILE",    "HISTSIZE",   "COLUMNS",
                                    "LINES",       "MAIL",       "MAILPATH",
                                    "EDITOR",      "VISUAL",     "OPTERR",
                                    "HOSTNAME",    "OSTYPE",     "MACHTYPE",
                                    "TIMEFORMAT",  "TMPDIR",     "TZ",
                                    "USER"};
  for (const std::string& name : names) {
    if (ReservedBecause(name) != nullptr) continue;
    ExpectRoundTrip({{name, "a 'b-x"}, {"ZZ_AFTERWARDS", "still here"}}, {});
  }
}

INSTANTIATE_TEST_SUITE_P(, EnvFileShellTest,
                         ::testing::Values(Shell{"dash", {"dash"}}, Shell{"bash", {"bash"}},
                                           Shell{"bash_posix", {"bash", "--posix"}},
                                           Shell{"busybox", {"busybox", "sh"}},
                                           Shell{"ksh", {"ksh"}}),
                         [](const ::testing::TestParamInfo<Shell>& shell) {
                           return shell.param.name;
                         });

}  // namespace
}  // namespace loader
