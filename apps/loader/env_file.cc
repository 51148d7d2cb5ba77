#include "loader/env_file.h"

#include <algorithm>
#include <array>

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
  struct Reserved {
    std::string_view name;
    const char* why;
  };
  constexpr const char* kReadOnly = "shells do not let it be set";
  constexpr const char* kShell = "it changes how the shell that sources the file works";
  constexpr const char* kPrograms = "it decides which programs the application runs";
  static constexpr std::array kReserved = {
      Reserved{"BASHOPTS", kReadOnly},
      Reserved{"BASH_VERSINFO", kReadOnly},
      Reserved{"BASH_ENV", kShell},
      Reserved{"ENV", kShell},
      Reserved{"EUID", kReadOnly},
      Reserved{"IFS", kShell},
      Reserved{"PATH", kPrograms},
      Reserved{"POSIXLY_CORRECT", kShell},
      Reserved{"PPID", kReadOnly},
      Reserved{"PROMPT_COMMAND", kShell},
      Reserved{"PS4", kShell},
      Reserved{"SHELLOPTS", kReadOnly},
      Reserved{"UID", kReadOnly},
      Reserved{"_", kShell},
      Reserved{"GLIBC_TUNABLES", "it changes how programs are loaded"},
  };
  if (name.starts_with("LD_")) return "it decides which libraries the application loads";
  const auto* found = std::find_if(kReserved.begin(), kReserved.end(),
                                   [name](const Reserved& entry) { return entry.name == name; });
  return found == kReserved.end() ? nullptr : found->why;
}

}  // namespace loader
