#include "loader/env_file.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace loader {
namespace {

using vaultcore::EnvFormat;
using vaultcore::Secret;

std::string Format(const std::vector<std::pair<std::string, std::string_view>>& entries,
                   EnvFormat format = EnvFormat::kShell, bool expansion_safe = false) {
  Variables variables;
  for (const auto& [name, value] : entries) {
    variables.emplace(name, Variable{Secret::CopyOf(value), "test"});
  }
  return std::string(FormatEnvironment(variables, format, expansion_safe).Reveal());
}

TEST(EnvFileTest, OneQuotedAssignmentALine) {
  EXPECT_EQ(Format({{"B", "two words"}, {"A", "1"}}), "A='1'\nB='two words'\n");
}

TEST(EnvFileTest, NoVariablesAreAnEmptyFile) { EXPECT_EQ(Format({}), ""); }

TEST(EnvFileTest, EveryByteStandsForItself) {
  EXPECT_EQ(Format({{"A", "$x `y` \\ \" # = ! \n\r\t\x01\xff"}}),
            "A='$x `y` \\ \" # = ! \n\r\t\x01\xff'\n");
}

TEST(EnvFileTest, SingleQuotes) {
  EXPECT_EQ(Format({{"A", "'"}, {"B", "it's"}, {"C", "''x'"}, {"D", ""}}),
            "A=''\\'''\nB='it'\\''s'\nC=''\\'''\\''x'\\'''\nD=''\n");
}

TEST(EnvFileTest, ExportFormat) {
  EXPECT_EQ(Format({{"A", "it's"}}, EnvFormat::kExport), "export A='it'\\''s'\n");
}

TEST(EnvFileTest, DotenvFormat) {
  EXPECT_EQ(Format({{"A", "$x \"y\"\n\\"}, {"B", "it's \"$5\" `\\\n"}}, EnvFormat::kDotenv),
            "A='$x \"y\"\n\\'\nB=\"it's \\\"\\$5\\\" \\`\\\\\n\"\n");
}

TEST(EnvFileTest, JsonFormat) {
  EXPECT_EQ(Format({{"A", "a\n\"b\""}, {"B", ""}}, EnvFormat::kJson),
            "{\n  \"A\": \"a\\n\\\"b\\\"\",\n  \"B\": \"\"\n}\n");
}

TEST(EnvFileTest, ExpansionSafeValuesHoldReferencesInsteadOfSpecialCharacters) {
  EXPECT_EQ(Format({{"PLAIN", "$x `y`"}, {"URL", "a${b}\"\\\n'"}}, EnvFormat::kShell, true),
            "VSL_DOLLAR='$'\nVSL_QUOTE='\"'\nVSL_BACKTICK='`'\nVSL_BACKSLASH='\\'\n"
            "VSL_NEWLINE='\n'\n"
            "PLAIN='$x `y`'\n"
            "URL='a${VSL_DOLLAR}{b}${VSL_QUOTE}${VSL_BACKSLASH}${VSL_NEWLINE}'\\'''\n");
  EXPECT_EQ(Format({{"PLAIN", "$x"}}, EnvFormat::kShell, true), "PLAIN='$x'\n");
  EXPECT_EQ(Format({{"A", "${x}"}}, EnvFormat::kDotenv, true), "A='${x}'\n");
}

TEST(EnvFileTest, ExpansionIsRecognised) {
  EXPECT_TRUE(IsChangedByExpansion("mongodb://u:${PASSWORD}@h"));
  EXPECT_TRUE(IsChangedByExpansion("${"));
  EXPECT_FALSE(IsChangedByExpansion("$PASSWORD $ {x} $$"));
}

TEST(EnvFileTest, ReservedNames) {
  for (const char* name :
       {"PATH", "IFS", "LD_PRELOAD", "LD_LIBRARY_PATH", "BASH_ENV", "ENV", "UID", "SHELLOPTS"}) {
    EXPECT_NE(ReservedBecause(name), nullptr) << name;
  }
  for (const char* name : {"PATHS", "MY_PATH", "LD", "PASSWORD", "HOME", "TZ"}) {
    EXPECT_EQ(ReservedBecause(name), nullptr) << name;
  }
}

}  // namespace
}  // namespace loader
