#include "loader/output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "support/status_matchers.h"
#include "unit/loader/fixture.h"

namespace loader {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using vaultcore::ErrorKind;
using vaultcore::IsOk;
using vaultcore::LoaderConfig;
using vaultcore::Secret;
using vaultcore::StatusIs;

Assembled OneOfEach() {
  Assembled assembled;
  assembled.variables.emplace("A", Variable{Secret::CopyOf("1"), "x"});
  assembled.files.emplace("tls.crt", SecretFile{Secret::CopyOf("CERT"), "x"});
  return assembled;
}

TEST(PublishSetTest, EnvFileAndFilesBelongTogether) {
  const auto set = MakePublishSet(ServiceConfig(), OneOfEach());
  ASSERT_THAT(set, IsOk());
  ASSERT_THAT(set->files, SizeIs(2));
  EXPECT_EQ(set->files[0].path, "/shared/env/.env");
  EXPECT_EQ(set->files[0].content.Reveal(), "A='1'\n");
  EXPECT_EQ(set->files[0].mode, 0600u);
  EXPECT_EQ(set->files[1].path, "/shared/files/tls.crt");
  EXPECT_EQ(set->files[1].content.Reveal(), "CERT");
  EXPECT_EQ(set->files[1].mode, 0600u);
  EXPECT_THAT(set->owned_folders, ElementsAre("/shared/files"));
}

TEST(PublishSetTest, FormatsAndModesAreTheConfigurations) {
  LoaderConfig config = ServiceConfig();
  config.env_format = vaultcore::EnvFormat::kExport;
  config.env_mode = 0640;
  config.files_mode = 0444;
  const auto set = MakePublishSet(config, OneOfEach());
  ASSERT_THAT(set, IsOk());
  EXPECT_EQ(set->files.at(0).content.Reveal(), "export A='1'\n");
  EXPECT_EQ(set->files.at(0).mode, 0640u);
  EXPECT_EQ(set->files.at(1).mode, 0444u);
}

TEST(PublishSetTest, TheEnvFileIsThereWithoutVariablesBecauseItIsSourced) {
  const auto set = MakePublishSet(ServiceConfig(), Assembled{});
  ASSERT_THAT(set, IsOk());
  ASSERT_THAT(set->files, SizeIs(1));
  EXPECT_EQ(set->files[0].content.Reveal(), "");
}

TEST(PublishSetTest, WhatIsSwitchedOffIsNotTouched) {
  LoaderConfig config = ServiceConfig();
  config.env_enabled = false;
  config.files_enabled = false;
  const auto nothing = MakePublishSet(config, Assembled{});
  ASSERT_THAT(nothing, IsOk());
  EXPECT_THAT(nothing->files, IsEmpty());
  EXPECT_THAT(nothing->owned_folders, IsEmpty());
  // A database's variables need the env file all the same.
  Assembled assembled = OneOfEach();
  assembled.files.clear();
  const auto variables = MakePublishSet(config, std::move(assembled));
  ASSERT_THAT(variables, IsOk());
  EXPECT_THAT(variables->files, SizeIs(1));
}

TEST(PublishSetTest, RenderedTemplatesArePublishedWithTheRest) {
  Assembled assembled = OneOfEach();
  assembled.rendered.push_back(
      {.path = "/vault/secrets/db", .content = Secret::CopyOf("x"), .mode = 0640});
  const auto set = MakePublishSet(ServiceConfig(), std::move(assembled));
  ASSERT_THAT(set, IsOk());
  ASSERT_THAT(set->files, SizeIs(3));
  EXPECT_EQ(set->files[2].path, "/vault/secrets/db");
  EXPECT_EQ(set->files[2].mode, 0640u);
  EXPECT_THAT(set->owned_folders, ElementsAre("/shared/files", "/vault/secrets"));
  Assembled twice = OneOfEach();
  twice.rendered.push_back({.path = "/shared/env/.env", .content = Secret::CopyOf("x")});
  EXPECT_THAT(MakePublishSet(ServiceConfig(), std::move(twice)),
              StatusIs(ErrorKind::kUsage, HasSubstr("the same file /shared/env/.env")));
}

TEST(PublishSetTest, ATemplateWithoutAnEnvFileStandsAlone) {
  LoaderConfig config = ServiceConfig();
  config.env_enabled = false;
  config.files_enabled = false;
  Assembled assembled;
  assembled.rendered.push_back({.path = "/vault/secrets/db", .content = Secret::CopyOf("x")});
  const auto set = MakePublishSet(config, std::move(assembled));
  ASSERT_THAT(set, IsOk());
  EXPECT_THAT(set->owned_folders, IsEmpty());
}

TEST(PublishSetTest, ASecretFileCannotReplaceTheEnvFile) {
  LoaderConfig config = ServiceConfig();
  config.env_file = "/shared/files/tls.crt";
  EXPECT_THAT(MakePublishSet(config, OneOfEach()),
              StatusIs(ErrorKind::kUsage, HasSubstr("/shared/files/tls.crt")));
}

class TerminationReasonTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "loader-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Read(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::filesystem::path folder_;
};

TEST_F(TerminationReasonTest, OverwritesTheFileThatIsThere) {
  const std::string path = folder_ / "log";
  std::ofstream(path) << std::string(5000, 'x');
  LeaveTerminationReason(path, "the reason\n");
  EXPECT_EQ(Read(path), "the reason\n");
  LeaveTerminationReason(path, std::string(10'000, 'y'));
  EXPECT_EQ(Read(path).size(), 4096u);
}

TEST_F(TerminationReasonTest, NeverCreatesAFile) {
  const std::string path = folder_ / "none";
  LeaveTerminationReason(path, "x");
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(TerminationReasonTest, FollowsNoLink) {
  const std::string target = folder_ / "target";
  std::ofstream(target) << "keep";
  const std::string link = folder_ / "link";
  std::filesystem::create_symlink(target, link);
  LeaveTerminationReason(link, "x");
  EXPECT_EQ(Read(target), "keep");
}

}  // namespace
}  // namespace loader
