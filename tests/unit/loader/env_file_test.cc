#include "loader/env_file.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace loader {
namespace {

using vaultcore::Secret;

std::string Format(const std::vector<std::pair<std::string, std::string_view>>& entries) {
  Variables variables;
  for (const auto& [name, value] : entries) {
    variables.emplace(name, Variable{Secret::CopyOf(value), "test"});
  }
  return std::string(FormatShell(variables).Reveal());
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
