#include "vaultcore/base/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <thread>

#include "support/status_matchers.h"
#include "support/temp_folder.h"

namespace vaultcore {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

mode_t ModeOf(const std::string& path) {
  struct stat info = {};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

TEST(ErrnoErrorTest, NamesActionPathAndReason) {
  const Status full = ErrnoError(ENOSPC, "cannot write", "/shared/x");
  EXPECT_EQ(MessageOf(full), "cannot write /shared/x: No space left on device");
  EXPECT_EQ(KindOf(full), ErrorKind::kIo);
  EXPECT_THAT(full, HintIs(HasSubstr("full")));
  EXPECT_THAT(ErrnoError(ENOENT, "cannot read", "x"), StatusIs(ErrorKind::kNotFound));
  EXPECT_THAT(ErrnoError(EROFS, "cannot write", "x"), HintIs(HasSubstr("read-only")));
  EXPECT_THAT(ErrnoError(EACCES, "cannot read", "x"),
              HintIs(HasSubstr("user " + std::to_string(geteuid()))));
}

TEST(ReadFileTest, ReadsAllBytes) {
  const TempFolder folder;
  const std::string bytes = std::string(200'000, 'x') + std::string("\0\xFF\n", 3);
  folder.Write("file", bytes);
  EXPECT_THAT(ReadTextFile(folder / "file"), IsOkAndHolds(bytes));
  const auto secret = ReadSecretFile(folder / "file");
  ASSERT_THAT(secret, IsOk());
  EXPECT_EQ(secret->Reveal(), bytes);
  folder.Write("empty", "");
  EXPECT_THAT(ReadTextFile(folder / "empty"), IsOkAndHolds(std::string()));
}

TEST(ReadFileTest, StopsAtTheLimit) {
  const TempFolder folder;
  folder.Write("file", "12345");
  EXPECT_THAT(ReadTextFile(folder / "file", 5), IsOkAndHolds(std::string("12345")));
  EXPECT_THAT(ReadTextFile(folder / "file", 4),
              StatusIs(ErrorKind::kIo, HasSubstr("larger than 4 bytes")));
  EXPECT_THAT(ReadSecretFile(folder / "file", 4), StatusIs(ErrorKind::kIo));
  // These say that they are empty and are not.
  EXPECT_THAT(ReadTextFile("/dev/zero", 100'000), StatusIs(ErrorKind::kIo));
  EXPECT_THAT(ReadTextFile("/proc/self/status", 10), StatusIs(ErrorKind::kIo));
  EXPECT_THAT(ReadTextFile("/proc/self/status"), IsOkAndHolds(HasSubstr("Pid:")));
}

TEST(ReadFileTest, SaysWhatIsWrong) {
  const TempFolder folder;
  EXPECT_THAT(ReadTextFile(folder / "none"),
              StatusIs(ErrorKind::kNotFound, HasSubstr(folder / "none")));
  EXPECT_THAT(ReadTextFile(folder.path()), StatusIs(ErrorKind::kIo, HasSubstr("Is a directory")));
}

TEST(ReadFileTest, ReadsPipesAndStandardInput) {
  const TempFolder folder;
  const std::string pipe_path = folder / "pipe";
  ASSERT_EQ(mkfifo(pipe_path.c_str(), 0600), 0);
  std::thread writer([&pipe_path] {
    const int fd = open(pipe_path.c_str(), O_WRONLY);
    EXPECT_EQ(write(fd, "piped", 5), 5);
    close(fd);
  });
  EXPECT_THAT(ReadTextFile(pipe_path), IsOkAndHolds(std::string("piped")));
  writer.join();

  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  ASSERT_EQ(write(fds[1], "typed", 5), 5);
  close(fds[1]);
  const int saved = dup(STDIN_FILENO);
  dup2(fds[0], STDIN_FILENO);
  close(fds[0]);
  const auto secret = ReadSecretFile("/dev/stdin");
  dup2(saved, STDIN_FILENO);
  close(saved);
  ASSERT_THAT(secret, IsOk());
  EXPECT_EQ(secret->Reveal(), "typed");
}

TEST(WriteFileTest, ReplacesWithExactlyTheMode) {
  const TempFolder folder;
  folder.Write("file", "old");
  const mode_t mask = umask(0077);
  EXPECT_THAT(WriteFileDurably(folder / "file", "new", 0644), IsOk());
  umask(0);
  EXPECT_THAT(WriteFileDurably(folder / "private", "secret"), IsOk());
  umask(mask);
  EXPECT_EQ(folder.Read("file"), "new");
  EXPECT_EQ(ModeOf(folder / "file"), 0644u);
  EXPECT_EQ(ModeOf(folder / "private"), 0600u);
  EXPECT_THAT(folder.Names(), ElementsAre("file", "private"));
}

TEST(WriteFileTest, ReadersOfTheOldFileKeepIt) {
  const TempFolder folder;
  folder.Write("file", "old");
  const int fd = open((folder / "file").c_str(), O_RDONLY);
  ASSERT_THAT(WriteFileDurably(folder / "file", "new"), IsOk());
  char bytes[4] = {};
  EXPECT_EQ(read(fd, bytes, 4), 3);
  EXPECT_STREQ(bytes, "old");
  close(fd);
}

TEST(WriteFileTest, RelativePathsAndEmptyContent) {
  const TempFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  const Status status = WriteFileDurably("here", "");
  std::filesystem::current_path(before);
  EXPECT_THAT(status, IsOk());
  EXPECT_EQ(folder.Read("here"), "");
}

TEST(WriteFileTest, RefusesWhatIsNotARegularFile) {
  const TempFolder folder;
  folder.Write("real", "old");
  std::filesystem::create_symlink("real", folder / "link");
  std::filesystem::create_directory(folder / "folder");
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(WriteFileDurably(folder / "link", "new"),
              StatusIs(ErrorKind::kIo, HasSubstr("symbolic link")));
  EXPECT_THAT(WriteFileDurably(folder / "folder", "new"),
              StatusIs(ErrorKind::kIo, HasSubstr("Is a directory")));
  EXPECT_THAT(WriteFileDurably(folder / "pipe", "new"),
              StatusIs(ErrorKind::kIo, HasSubstr("not a regular file")));
  EXPECT_THAT(WriteFileDurably(folder / "real/", "new"), StatusIs(ErrorKind::kIo));
  EXPECT_EQ(folder.Read("real"), "old");
  EXPECT_THAT(folder.Names(), ElementsAre("folder", "link", "pipe", "real"));
}

TEST(WriteFileTest, AMissingFolderIsAnIoError) {
  const TempFolder folder;
  EXPECT_THAT(WriteFileDurably(folder / "none/file", "x"),
              StatusIs(ErrorKind::kIo, HasSubstr("No such file or directory")));
}

TEST(WriteFileTest, AFolderThatTakesNoFilesIsTold) {
  const Status status = WriteFileDurably("/proc/self/vaultcore-test", "x");
  EXPECT_THAT(status, StatusIs(ErrorKind::kIo, HasSubstr("/proc/self/vaultcore-test")));
}

}  // namespace
}  // namespace vaultcore
