#include "loader/env_file.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace loader {
namespace {

using vaultcore::Secret;
using vaultcore::SecretBuilder;

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

}  // namespace

Secret FormatShell(const Variables& variables) {
  SecretBuilder out;
  size_t size = 0;
  for (const auto& [name, variable] : variables) {
    const std::string_view value = variable.value.Reveal();
    size += name.size() + value.size() + 4 +
            3 * static_cast<size_t>(std::count(value.begin(), value.end(), '\''));
  }
  out.Reserve(size);
  for (const auto& [name, variable] : variables) {
    out.Append(name);
    out.Append('=');
    AppendQuoted(out, variable.value.Reveal());
    out.Append('\n');
  }
  return out.Take();
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
  return nullptr;
}

}  // namespace loader
