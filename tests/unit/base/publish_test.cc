#include "vaultcore/base/publish.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "support/status_matchers.h"
#include "support/temp_folder.h"

namespace vaultcore {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct stat StatOf(const std::string& path) {
  struct stat info = {};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info;
}

class PublishTest : public testing::Test {
 protected:
  // `env` is the content of env/.env; nullptr for no such file.
  PublishSet Set(const char* env,
                 std::initializer_list<std::pair<const char*, const char*>> files) const {
    PublishSet set;
    set.owned_folders.push_back(folder_ / "files");
    if (env != nullptr) set.files.push_back({folder_ / "env/.env", Secret::CopyOf(env)});
    for (const auto& [name, content] : files) {
      set.files.push_back({folder_ / "files/" + name, Secret::CopyOf(content)});
    }
    return set;
  }

  // What an application sees: the names that lead to something.
  std::vector<std::string> Visible() const {
    std::vector<std::string> names;
    for (const std::string& name : folder_.Names("files")) {
      if (name.front() != '.' && std::filesystem::exists(folder_ / ("files/" + name))) {
        names.push_back(name);
      }
    }
    return names;
  }

  size_t Hidden() const {
    size_t count = 0;
    for (const std::string& name : folder_.Names("files")) count += name.front() == '.' ? 1 : 0;
    return count;
  }

  TempFolder folder_;
};

TEST_F(PublishTest, FirstPublishIntoNothing) {
  ASSERT_THAT(Publish(Set("A=1\n", {{"ca.crt", "CERT"}, {"deep/er/key", "KEY"}})), IsOk());
  EXPECT_EQ(folder_.Read("env/.env"), "A=1\n");
  EXPECT_EQ(folder_.Read("files/ca.crt"), "CERT");
  EXPECT_EQ(folder_.Read("files/deep/er/key"), "KEY");
  for (const char* name : {"env/.env", "files/ca.crt", "files/deep/er/key"}) {
    EXPECT_EQ(StatOf(folder_ / name).st_mode & 07777, 0600u);
    EXPECT_EQ(StatOf(folder_ / name).st_uid, geteuid());
  }
  EXPECT_THAT(folder_.Names("files"),
              testing::UnorderedElementsAre(testing::StartsWith(".vaultcore-"),
                                            ".vaultcore-current", "ca.crt", "deep"));
  EXPECT_THAT(folder_.Names("env"), ElementsAre(".env"));
}

TEST_F(PublishTest, TheEnvFileIsAPlainFileAndTheLinksAreRelative) {
  ASSERT_THAT(Publish(Set("A=1\n", {{"ca.crt", "CERT"}})), IsOk());
  EXPECT_FALSE(std::filesystem::is_symlink(folder_ / "env/.env"));
  EXPECT_EQ(std::filesystem::read_symlink(folder_ / "files/ca.crt"), ".vaultcore-current/ca.crt");
  // The volume can be mounted elsewhere.
  std::filesystem::rename(folder_ / "files", folder_ / "moved");
  EXPECT_EQ(folder_.Read("moved/ca.crt"), "CERT");
}

TEST_F(PublishTest, TheNextSetReplacesAndRemoves) {
  ASSERT_THAT(Publish(Set("A=1\n", {{"a", "1"}, {"b", "1"}, {"sub/c", "1"}})), IsOk());
  ASSERT_THAT(Publish(Set("A=2\n", {{"b", "2"}, {"d", "2"}})), IsOk());
  EXPECT_EQ(folder_.Read("env/.env"), "A=2\n");
  EXPECT_THAT(Visible(), ElementsAre("b", "d"));
  EXPECT_EQ(folder_.Read("files/b"), "2");
  EXPECT_EQ(Hidden(), 2u);
  EXPECT_FALSE(std::filesystem::is_symlink(folder_ / "files/a"));
}

TEST_F(PublishTest, AnEmptySetRemovesWhatAnEarlierOnePublished) {
  ASSERT_THAT(Publish(Set("A=1\n", {{"a", "1"}})), IsOk());
  ASSERT_THAT(Publish(Set(nullptr, {})), IsOk());
  EXPECT_THAT(folder_.Names("files"), IsEmpty());
  EXPECT_EQ(folder_.Read("env/.env"), "A=1\n");
}

TEST_F(PublishTest, AnEmptySetStillMakesTheFolder) {
  ASSERT_THAT(Publish(Set(nullptr, {})), IsOk());
  EXPECT_TRUE(std::filesystem::is_directory(folder_ / "files"));
}

TEST_F(PublishTest, ForeignFilesAreLeftAlone) {
  folder_.Write("files/foreign", "mine");
  folder_.Write("files/.hidden", "mine");
  folder_.Write("env/other", "mine");
  ASSERT_THAT(Publish(Set("A=1\n", {{"a", "1"}})), IsOk());
  ASSERT_THAT(Publish(Set("A=1\n", {})), IsOk());
  EXPECT_THAT(folder_.Names("files"), ElementsAre(".hidden", "foreign"));
  EXPECT_EQ(folder_.Read("files/foreign"), "mine");
  EXPECT_THAT(folder_.Names("env"), ElementsAre(".env", "other"));
}

TEST_F(PublishTest, APlainFileAtAWantedNameIsTakenOver) {
  folder_.Write("files/a", "old");
  folder_.Write("files/b", "old");
  ASSERT_THAT(Publish(Set(nullptr, {{"a", "new"}, {"c", "new"}})), IsOk());
  EXPECT_THAT(Visible(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(folder_.Read("files/a"), "new");
  EXPECT_EQ(folder_.Read("files/b"), "old");
  // An application that writes a file anew puts a plain one over our link.
  std::filesystem::remove(folder_ / "files/c");
  folder_.Write("files/c", "theirs");
  ASSERT_THAT(Publish(Set(nullptr, {{"a", "new"}, {"c", "new"}})), IsOk());
  EXPECT_EQ(folder_.Read("files/c"), "new");
  EXPECT_EQ(Hidden(), 2u);
}

TEST_F(PublishTest, AFolderOrForeignLinkInTheWayIsAnErrorThatChangesNothing) {
  ASSERT_THAT(Publish(Set("A=1\n", {{"a", "1"}})), IsOk());
  std::filesystem::create_directory(folder_ / "files/way");
  EXPECT_THAT(Publish(Set("A=2\n", {{"a", "2"}, {"b", "2"}, {"way", "2"}})),
              StatusIs(ErrorKind::kIo, HasSubstr("files/way")));
  std::filesystem::remove(folder_ / "files/way");
  std::filesystem::create_symlink("/etc/passwd", folder_ / "files/way");
  EXPECT_THAT(Publish(Set("A=2\n", {{"a", "2"}, {"b", "2"}, {"way", "2"}})),
              StatusIs(ErrorKind::kIo, HasSubstr("not a plain file")));
  EXPECT_EQ(folder_.Read("env/.env"), "A=1\n");
  EXPECT_EQ(folder_.Read("files/a"), "1");
  EXPECT_THAT(folder_.Names("files"),
              testing::UnorderedElementsAre(testing::StartsWith(".vaultcore-"),
                                            ".vaultcore-current", "a", "way"));
}

TEST_F(PublishTest, AnEnvFileThatCannotBeReplacedLeavesTheFilesOld) {
  ASSERT_THAT(Publish(Set(nullptr, {{"a", "1"}})), IsOk());
  std::filesystem::create_directories(folder_ / "env/.env");
  EXPECT_THAT(Publish(Set("A=2\n", {{"a", "2"}})),
              StatusIs(ErrorKind::kIo, HasSubstr("Is a directory")));
  EXPECT_EQ(folder_.Read("files/a"), "1");
  EXPECT_EQ(Hidden(), 2u);
}

TEST_F(PublishTest, WhatIsAsWantedIsNotRewritten) {
  ASSERT_THAT(Publish(Set("A=1\n", {{"same", "1"}, {"other", "1"}})), IsOk());
  const auto names = folder_.Names("files");
  const auto env = StatOf(folder_ / "env/.env").st_ino;
  const auto same = StatOf(folder_ / "files/same").st_ino;
  ASSERT_THAT(Publish(Set("A=1\n", {{"same", "1"}, {"other", "1"}})), IsOk());
  EXPECT_EQ(folder_.Names("files"), names);
  EXPECT_EQ(StatOf(folder_ / "env/.env").st_ino, env);
  ASSERT_THAT(Publish(Set("A=1\n", {{"same", "1"}, {"other", "2"}})), IsOk());
  EXPECT_NE(folder_.Names("files"), names);
  EXPECT_EQ(StatOf(folder_ / "files/same").st_ino, same);
  EXPECT_EQ(folder_.Read("files/other"), "2");
}

TEST_F(PublishTest, AWrongModeIsRepaired) {
  ASSERT_THAT(Publish(Set("A=1\n", {{"a", "1"}})), IsOk());
  std::filesystem::permissions(folder_ / "files/a", std::filesystem::perms(0644));
  std::filesystem::permissions(folder_ / "env/.env", std::filesystem::perms(0644));
  ASSERT_THAT(Publish(Set("A=1\n", {{"a", "1"}})), IsOk());
  EXPECT_EQ(StatOf(folder_ / "files/a").st_mode & 07777, 0600u);
  EXPECT_EQ(StatOf(folder_ / "env/.env").st_mode & 07777, 0600u);
}

TEST_F(PublishTest, ModesAreExactWhateverTheUmask) {
  PublishSet set = Set(nullptr, {{"a", "1"}, {"sub/b", "1"}});
  set.files[0].mode = 0644;
  const mode_t mask = umask(0027);
  const Status status = Publish(set);
  umask(mask);
  ASSERT_THAT(status, IsOk());
  EXPECT_EQ(StatOf(folder_ / "files/a").st_mode & 07777, 0644u);
  EXPECT_EQ(StatOf(folder_ / "files/.vaultcore-current").st_mode & 07777, 0755u);
  EXPECT_EQ(StatOf(folder_ / "files/sub").st_mode & 07777, 0755u);
}

TEST_F(PublishTest, TheGroupOfASetgidVolumeIsHandedDown) {
  std::filesystem::create_directory(folder_ / "files");
  ASSERT_EQ(chmod((folder_ / "files").c_str(), 02777), 0);
  ASSERT_THAT(Publish(Set(nullptr, {{"sub/b", "1"}})), IsOk());
  EXPECT_EQ(StatOf(folder_ / "files/.vaultcore-current").st_mode & 07777, 02755u);
  EXPECT_EQ(StatOf(folder_ / "files/sub").st_mode & 07777, 02755u);
}

TEST_F(PublishTest, LeftoversOfAKilledRunAreRemoved) {
  ASSERT_THAT(Publish(Set("A=1\n", {{"a", "1"}})), IsOk());
  folder_.Write("files/.vaultcore-0123456789abcdef/a", "half");
  std::filesystem::create_symlink("x", folder_ / "files/.vaultcore-fedcba9876543210");
  std::filesystem::create_symlink(".vaultcore-current/new", folder_ / "files/new");
  folder_.Write("env/.vaultcore-stage", "half");
  ASSERT_THAT(Publish(Set("A=1\n", {{"a", "1"}})), IsOk());
  EXPECT_EQ(Hidden(), 2u);
  EXPECT_THAT(Visible(), ElementsAre("a"));
  EXPECT_FALSE(std::filesystem::is_symlink(folder_ / "files/new"));
  EXPECT_THAT(folder_.Names("env"), ElementsAre(".env"));
}

TEST_F(PublishTest, ACurrentLinkThatLeadsNowhereIsReplaced) {
  folder_.Write("files/x", "mine");
  std::filesystem::create_symlink(".vaultcore-gone", folder_ / "files/.vaultcore-current");
  ASSERT_THAT(Publish(Set(nullptr, {{"a", "1"}})), IsOk());
  EXPECT_EQ(folder_.Read("files/a"), "1");
}

TEST_F(PublishTest, ACurrentLinkThatIsNotOursIsAnError) {
  std::filesystem::create_directory(folder_ / "files");
  std::filesystem::create_symlink("/etc", folder_ / "files/.vaultcore-current");
  EXPECT_THAT(Publish(Set(nullptr, {{"a", "1"}})),
              StatusIs(ErrorKind::kIo, HasSubstr(".vaultcore-current")));
  EXPECT_TRUE(std::filesystem::is_symlink(folder_ / "files/.vaultcore-current"));
}

TEST_F(PublishTest, TheEnvFileMayStandInTheFolderOfFiles) {
  PublishSet set = Set(nullptr, {{"a", "1"}, {".env", "A=1\n"}});
  ASSERT_THAT(Publish(set), IsOk());
  EXPECT_EQ(folder_.Read("files/.env"), "A=1\n");
  EXPECT_TRUE(std::filesystem::is_symlink(folder_ / "files/.env"));
}

TEST_F(PublishTest, OneFileAloneNeedsNoFolder) {
  PublishSet set;
  set.files.push_back({folder_ / "a/b/.env", Secret::CopyOf("A=1\n")});
  ASSERT_THAT(Publish(set), IsOk());
  EXPECT_THAT(folder_.Names("a/b"), ElementsAre(".env"));
  EXPECT_EQ(StatOf(folder_ / "a").st_mode & 0022, 0u);
  EXPECT_THAT(Publish(PublishSet{}), IsOk());
}

TEST_F(PublishTest, PathsAreComparedWithoutTheirDetours) {
  PublishSet set;
  set.owned_folders.push_back((folder_ / "files") + "//");
  set.files.push_back({folder_ / "env/../files/./a", Secret::CopyOf("1")});
  ASSERT_THAT(Publish(set), IsOk());
  EXPECT_EQ(folder_.Read("files/a"), "1");
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  PublishSet relative;
  relative.owned_folders.emplace_back("files");
  relative.files.push_back({folder_ / "files/a", Secret::CopyOf("2")});
  const Status status = Publish(relative);
  std::filesystem::current_path(before);
  ASSERT_THAT(status, IsOk());
  EXPECT_EQ(folder_.Read("files/a"), "2");
}

TEST_F(PublishTest, SetsThatCannotBeAreRefused) {
  const auto refused = [](const PublishSet& set, const char* why) {
    EXPECT_THAT(Publish(set), StatusIs(ErrorKind::kUsage, HasSubstr(why)));
  };
  refused(Set(nullptr, {{"a", "1"}, {"a", "2"}}), "two files");
  refused(Set(nullptr, {{"a", "1"}, {"a-", "2"}, {"a/b", "3"}}), "name of its folder");
  refused(Set(nullptr, {{".vaultcore-current", "1"}}), "reserved");
  refused(Set(nullptr, {{"", "1"}}), "names a folder");
  refused(Set(nullptr, {{"../other", "1"}, {"../third", "1"}}), "only one file");
  PublishSet set = Set("A=1\n", {});
  set.files.push_back({folder_ / "env/.env", Secret::CopyOf("A=2\n")});
  refused(set, "two files");
  set = Set(nullptr, {});
  set.files.push_back({folder_ / "files", Secret::CopyOf("x")});
  refused(set, "also one of the output folders");
  set = Set(nullptr, {});
  set.owned_folders.push_back(folder_ / "files/inner");
  refused(set, "inside of another");
  set = Set(nullptr, {});
  set.files.emplace_back().path = "";
  refused(set, "empty");
  set = Set(nullptr, {});
  set.files.push_back({(folder_ / "a") + std::string("\0b", 2), Secret::CopyOf("x")});
  refused(set, "NUL");
  EXPECT_THAT(folder_.Names(), IsEmpty());
}

TEST_F(PublishTest, OneFolderUnderTwoNamesIsRefused) {
  std::filesystem::create_directory(folder_ / "files");
  std::filesystem::create_directory_symlink("files", folder_ / "env");
  EXPECT_THAT(Publish(Set("A=1\n", {{"a", "1"}})),
              StatusIs(ErrorKind::kUsage, HasSubstr("another name")));
}

TEST_F(PublishTest, AnotherPublisherIsWaitedFor) {
  std::filesystem::create_directory(folder_ / "files");
  const int fd = open((folder_ / "files").c_str(), O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(flock(fd, LOCK_EX), 0);
  std::thread other([fd] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    flock(fd, LOCK_UN);
  });
  EXPECT_THAT(Publish(Set(nullptr, {{"a", "1"}})), IsOk());
  other.join();
  close(fd);
}

TEST_F(PublishTest, ConcurrentPublishersEndWithOneOfTheSets) {
  std::vector<std::thread> threads;
  for (const char* content : {"1", "2", "3", "4"}) {
    threads.emplace_back([this, content] {
      for (int i = 0; i < 5; ++i) {
        EXPECT_THAT(Publish(Set(content, {{"a", content}, {"b", content}})), IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(folder_.Read("files/a"), folder_.Read("files/b"));
  EXPECT_THAT(folder_.Read("files/a"), Not("(absent)"));
  EXPECT_EQ(Hidden(), 2u);
  EXPECT_THAT(folder_.Names("env"), ElementsAre(".env"));
}

TEST_F(PublishTest, AReaderSeesOneSetAtATime) {
  ASSERT_THAT(Publish(Set(nullptr, {{"a", "0"}, {"b", "0"}})), IsOk());
  std::atomic<bool> done = false;
  std::thread publisher([this, &done] {
    for (int i = 1; i <= 50; ++i) {
      const std::string content = std::to_string(i);
      EXPECT_THAT(Publish(Set(nullptr, {{"a", content.c_str()}, {"b", content.c_str()}})), IsOk());
    }
    done = true;
  });
  // One resolution of the current set gives files that belong together, as in a Secret volume.
  size_t seen = 0;
  while (!done) {
    std::error_code error;
    const auto set =
        std::filesystem::read_symlink(folder_ / "files/.vaultcore-current", error).string();
    ASSERT_FALSE(error);
    const std::string a = folder_.Read("files/" + set + "/a");
    const std::string b = folder_.Read("files/" + set + "/b");
    // The set may have been removed meanwhile; if it was not, it is whole.
    if (a != "(absent)" && b != "(absent)") {
      EXPECT_EQ(a, b);
      ++seen;
    }
    EXPECT_NE(folder_.Read("files/a"), "");
  }
  publisher.join();
  EXPECT_GT(seen, 0u);
}

TEST_F(PublishTest, ErrorsNameTheUsersPathAndNoContent) {
  folder_.Write("files", "a file where the folder should be");
  const Status status = Publish(Set("canary-value", {{"a", "canary-value"}}));
  EXPECT_THAT(status, StatusIs(ErrorKind::kIo, HasSubstr(folder_ / "files")));
  EXPECT_THAT(status.ToString(), Not(HasSubstr("canary")));
}

}  // namespace
}  // namespace vaultcore
