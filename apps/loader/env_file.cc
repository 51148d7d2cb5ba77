#include "loader/env_file.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "vaultcore/api/json.h"

namespace loader {
namespace {

using vaultcore::EnvFormat;
using vaultcore::Json;
using vaultcore::Secret;
using vaultcore::SecretBuilder;

// The characters that the second evaluation, within double quotes, does not leave alone, and those
// that its line-wise search for variables stumbles over. Each has a variable that stands for it.
struct Helper {
  char character;
  std::string_view name;
};
constexpr std::array kHelpers = {Helper{'$', "VSL_DOLLAR"}, Helper{'"', "VSL_QUOTE"},
                                 Helper{'`', "VSL_BACKTICK"}, Helper{'\\', "VSL_BACKSLASH"},
                                 Helper{'\n', "VSL_NEWLINE"}};
constexpr std::string_view kHelperPrefix = "VSL_";

void AppendQuoted(SecretBuilder& out, std::string_view value) {
  out.Append('\'');
  for (size_t start = 0;;) {
    const size_t quote = value.find('\'', start);
    out.Append(value.substr(start, quote - start));
    if (quote == std::string_view::npos) break;
    out.Append(R"('\'')");
    start = quote + 1;
  }
  out.Append('\'');
}

// What dotenv readers (Docker Compose, godotenv, python-dotenv) take as this value; it is shell
// syntax as well.
void AppendDotenvQuoted(SecretBuilder& out, std::string_view value) {
  if (value.find('\'') == std::string_view::npos) return AppendQuoted(out, value);
  out.Append('"');
  for (const char c : value) {
    if (c == '"' || c == '\\' || c == '$' || c == '`') out.Append('\\');
    out.Append(c);
  }
  out.Append('"');
}

Secret WithHelpers(std::string_view value) {
  SecretBuilder out;
  out.Reserve(2 * value.size());
  for (const char c : value) {
    const auto* helper = std::find_if(kHelpers.begin(), kHelpers.end(),
                                      [c](const Helper& known) { return known.character == c; });
    if (helper == kHelpers.end()) {
      out.Append(c);
      continue;
    }
    out.Append("${");
    out.Append(helper->name);
    out.Append('}');
  }
  return out.Take();
}

Secret FormatAssignments(const Variables& variables, EnvFormat format, bool expansion_safe) {
  const std::string_view prefix = format == EnvFormat::kExport ? "export " : "";
  expansion_safe = expansion_safe && format != EnvFormat::kDotenv;
  SecretBuilder out;
  const auto append = [&out, prefix, format](std::string_view name, std::string_view value) {
    out.Append(prefix);
    out.Append(name);
    out.Append('=');
    if (format == EnvFormat::kDotenv) {
      AppendDotenvQuoted(out, value);
    } else {
      AppendQuoted(out, value);
    }
    out.Append('\n');
  };
  size_t size = 0;
  for (const auto& [name, variable] : variables) {
    const std::string_view value = variable.value.Reveal();
    size += prefix.size() + name.size() + value.size() + 4 +
            3 * static_cast<size_t>(std::count(value.begin(), value.end(), '\''));
  }
  out.Reserve(size);
  const auto needs_helpers = [expansion_safe](std::string_view value) {
    return expansion_safe && IsChangedByExpansion(value);
  };
  if (std::any_of(variables.begin(), variables.end(), [&needs_helpers](const auto& entry) {
        return needs_helpers(entry.second.value.Reveal());
      })) {
    for (const Helper& helper : kHelpers) append(helper.name, {&helper.character, 1});
  }
  for (const auto& [name, variable] : variables) {
    const std::string_view value = variable.value.Reveal();
    if (needs_helpers(value)) {
      append(name, WithHelpers(value).Reveal());
    } else {
      append(name, value);
    }
  }
  return out.Take();
}

Secret FormatJson(const Variables& variables) {
  Json object = Json::Object();
  for (const auto& [name, variable] : variables) {
    object.Set(name, Json::String(variable.value.Reveal()));
  }
  return object.DumpPretty();
}

}  // namespace

Secret FormatEnvironment(const Variables& variables, EnvFormat format, bool expansion_safe) {
  if (format == EnvFormat::kJson) return FormatJson(variables);
  return FormatAssignments(variables, format, expansion_safe);
}

bool IsChangedByExpansion(std::string_view value) {
  return value.find("${") != std::string_view::npos;
}

const char* ReservedBecause(std::string_view name) {
  using std::string_view_literals::operator""sv;
  // What bash, dash, busybox sh or ksh set themselves, and refuse, ignore or evaluate when a file
  // sets it.
  static constexpr std::array kShellOwn = {
      "COMP_WORDBREAKS"sv, "DIRSTACK"sv, "EPOCHREALTIME"sv, "EPOCHSECONDS"sv, "EUID"sv,
      "FUNCNAME"sv,        "GROUPS"sv,   "HISTCMD"sv,       "JOBMAX"sv,       "KSH_VERSION"sv,
      "LINENO"sv,          "OPTIND"sv,   "PIPESTATUS"sv,    "PPID"sv,         "RANDOM"sv,
      "SECONDS"sv,         "SHLVL"sv,    "SRANDOM"sv,       "UID"sv,          "_"sv};
  static constexpr std::array kShellBehaviour = {
      "ENV"sv, "IFS"sv,       "MAILCHECK"sv, "POSIXLY_CORRECT"sv, "PROMPT_COMMAND"sv,
      "PS4"sv, "SHELLOPTS"sv, "TMOUT"sv};
  static constexpr std::array kPrograms = {"GLIBC_TUNABLES"sv, "PATH"sv};
  const auto is_in = [name](const auto& names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (is_in(kShellOwn)) return "shells keep it for themselves";
  if (is_in(kShellBehaviour) || name.starts_with("BASH_") || name == "BASHOPTS" ||
      name == "BASHPID") {
    return "it changes how the shell that sources the file works";
  }
  if (is_in(kPrograms) || name.starts_with("LD_")) {
    return "it decides which programs and libraries are run";
  }
  if (name.starts_with(kHelperPrefix)) return "this program may set it itself";
  return nullptr;
}

}  // namespace loader
