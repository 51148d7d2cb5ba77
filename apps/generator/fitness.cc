#include "generator/fitness.h"

#include <algorithm>

#include "vaultcore/base/encoding.h"
#include "vaultcore/model/layout.h"

namespace generator {
namespace {

// What Linux takes for one variable of a new program.
constexpr size_t kLongestVariable = 131071;

bool IsFileName(std::string_view name) {
  for (size_t begin = 0; begin <= name.size();) {
    const size_t slash = std::min(name.find('/', begin), name.size());
    const std::string_view part = name.substr(begin, slash - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = slash + 1;
  }
  return std::none_of(name.begin(), name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

Fitness CheckVariable(std::string_view key, const Value& value) {
  Fitness fitness{value, {}, {}};
  const std::string_view bytes = Bytes(value);
  if (!vaultcore::IsEnvironmentName(key)) {
    fitness.problem = "is no name of an environment variable";
  } else if (!vaultcore::IsValidUtf8(bytes) || bytes.find('\0') != std::string_view::npos) {
    fitness.problem = "its value is no text, and a variable can hold nothing else";
  } else if (bytes.size() > kLongestVariable) {
    fitness.problem = "its value is longer than a variable can be (131071 bytes)";
  } else if (bytes.find("${") != std::string_view::npos) {
    fitness.note = "its value holds \"${\", which the chart's start command expands";
  } else if (bytes.find('\n') != std::string_view::npos) {
    fitness.note = "its value has several lines, which not every program takes from a variable";
  }
  return fitness;
}

}  // namespace

Fitness CheckFitness(EntryKind kind, std::string_view key, const Value& value) {
  if (kind == EntryKind::kEnv) return CheckVariable(key, value);
  Fitness fitness{value, {}, {}};
  if (kind == EntryKind::kFile && !IsFileName(key)) {
    fitness.problem = "is no name of a file";
  } else if (!vaultcore::IsValidUtf8(Bytes(value))) {
    // The loader writes the bytes that this stands for.
    fitness.stored = MakeValue(vaultcore::Base64Encode(Bytes(value)));
    fitness.note = "is no text and is kept in Vault as base64";
  }
  return fitness;
}

}  // namespace generator
