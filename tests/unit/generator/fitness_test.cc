#include "generator/fitness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vaultcore/base/encoding.h"

namespace generator {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kBinary[] = "\xFE\xED\xFE\xED\x01";

Fitness Check(EntryKind kind, std::string_view key, std::string_view value) {
  return CheckFitness(kind, key, MakeValue(value));
}

TEST(CheckFitness, OrdinaryValuesAreFit) {
  for (const EntryKind kind : {EntryKind::kEnv, EntryKind::kFile, EntryKind::kDatabase}) {
    const Fitness fitness = Check(kind, "KEY", "value with $ and 'quotes' and \xC3\xA4");
    EXPECT_THAT(fitness.problem, IsEmpty());
    EXPECT_THAT(fitness.note, IsEmpty());
    EXPECT_EQ(Bytes(fitness.stored), "value with $ and 'quotes' and \xC3\xA4");
  }
}

TEST(CheckFitness, VariablesThatCannotBe) {
  EXPECT_THAT(Check(EntryKind::kEnv, "not-a-name", "x").problem, HasSubstr("variable"));
  EXPECT_THAT(Check(EntryKind::kEnv, "A", kBinary).problem, HasSubstr("no text"));
  EXPECT_THAT(Check(EntryKind::kEnv, "A", std::string("a\0b", 3)).problem, HasSubstr("no text"));
  EXPECT_THAT(Check(EntryKind::kEnv, "A", std::string(200'000, 'x')).problem, HasSubstr("131071"));
}

TEST(CheckFitness, VariablesToKnowAbout) {
  EXPECT_THAT(Check(EntryKind::kEnv, "A", "mongodb://${P}@h").note, HasSubstr("${"));
  EXPECT_THAT(Check(EntryKind::kEnv, "A", "one\ntwo").note, HasSubstr("lines"));
}

TEST(CheckFitness, FilesThatCannotBe) {
  for (const char* name : {"", "/etc/passwd", "../x", "a//b", "a/./b", "a\nb"}) {
    EXPECT_THAT(Check(EntryKind::kFile, name, "x").problem, HasSubstr("file")) << name;
  }
  EXPECT_THAT(Check(EntryKind::kFile, "certs/ca.pem", "x").problem, IsEmpty());
}

TEST(CheckFitness, BinaryFilesAreKeptAsBase64) {
  const Fitness fitness = Check(EntryKind::kFile, "store.jks", kBinary);
  EXPECT_THAT(fitness.problem, IsEmpty());
  EXPECT_THAT(fitness.note, HasSubstr("base64"));
  EXPECT_EQ(Bytes(fitness.stored), vaultcore::Base64Encode(kBinary).Reveal());
}

}  // namespace
}  // namespace generator
