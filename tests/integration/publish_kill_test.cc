// What Publish() promises, at every single system call: killed before it, or refused by the system.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <functional>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "support/status_matchers.h"
#include "support/syscall_tracer.h"
#include "support/temp_folder.h"
#include "vaultcore/base/publish.h"

namespace vaultcore {
namespace {

using testing::ElementsAre;

// Name to content, for the files; the env file is called ".env".
using State = std::map<std::string, std::string>;

// What a child tells by its exit code.
enum Outcome { kPublished, kRefused, kPublishedNotDurable, kOtherError };

struct Scenario {
  const char* name;
  State before;          // what stands there
  bool before_is_plain;  // by other means, as plain files
  State after;           // what is published over it
};

void PrintTo(const Scenario& scenario, std::ostream* out) { *out << scenario.name; }

const Scenario kScenarios[] = {
    {"FirstPublish", {}, false, {{".env", "A=2"}, {"a", "2"}, {"b", "2"}, {"sub/c", "2"}}},
    {"Replace",
     {{".env", "A=1"}, {"a", "1"}, {"b", "1"}, {"same", "0"}, {"sub/c", "1"}},
     false,
     {{".env", "A=2"}, {"a", "2"}, {"d", "2"}, {"same", "0"}, {"sub/c", "2"}}},
    {"ReplaceFilesOnly", {{".env", "A=1"}, {"a", "1"}}, false, {{".env", "A=1"}, {"a", "2"}}},
    {"ReplaceEnvOnly", {{".env", "A=1"}, {"a", "1"}}, false, {{".env", "A=2"}, {"a", "1"}}},
    {"RemoveAllFiles", {{".env", "A=1"}, {"a", "1"}, {"b", "1"}}, false, {{".env", "A=2"}}},
    {"TakeOverPlainFiles",
     {{".env", "A=1"}, {"a", "1"}, {"b", "1"}},
     true,
     {{".env", "A=2"}, {"a", "2"}, {"b", "2"}, {"c", "2"}}},
    {"TakeOverPlainFilesBesideOurs",
     {{".env", "A=1"}, {"a", "1"}, {"ours", "0"}, {"sub/ours", "0"}},
     true,
     {{".env", "A=2"}, {"a", "2"}, {"ours", "2"}}},
};

// Thousands of runs with fsync take minutes on a disk, and seconds in memory.
std::filesystem::path FastParent() {
  return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : std::filesystem::temp_directory_path();
}

class PublishStepTest : public testing::TestWithParam<Scenario> {
 protected:
  static PublishSet SetOf(const TempFolder& folder, const State& state) {
    PublishSet set;
    set.owned_folders.push_back(folder / "files");
    for (const auto& [name, content] : state) {
      const std::string path = name == ".env" ? "env/.env" : "files/" + name;
      set.files.push_back({folder / path, Secret::CopyOf(content)});
    }
    return set;
  }

  // Brings about `before`, beside a file that is nobody's business.
  void Prepare(const TempFolder& folder) const {
    folder.Write("files/foreign", "foreign");
    folder.Write("env/foreign", "foreign");
    const Scenario& scenario = GetParam();
    if (!scenario.before_is_plain) {
      if (!scenario.before.empty()) {
        ASSERT_THAT(Publish(SetOf(folder, scenario.before)), IsOk());
      }
      return;
    }
    State ours;
    for (const auto& [name, content] : scenario.before) {
      if (content == "0") ours[name] = content;
    }
    if (!ours.empty()) {
      ASSERT_THAT(Publish(SetOf(folder, ours)), IsOk());
    }
    for (const auto& [name, content] : scenario.before) {
      if (content != "0") folder.Write(name == ".env" ? "env/.env" : "files/" + name, content);
    }
  }

  // What an application that opens files by name gets, of all names that are in either set.
  State Files(const TempFolder& folder) const {
    State seen;
    for (const State* state : {&GetParam().before, &GetParam().after}) {
      for (const auto& entry : *state) {
        if (entry.first == ".env") continue;
        const std::string content = folder.Read("files/" + entry.first);
        if (content != "(absent)") seen[entry.first] = content;
      }
    }
    return seen;
  }

  static State WithoutEnv(State state) {
    state.erase(".env");
    return state;
  }
  static std::string EnvOf(const State& state) {
    const auto found = state.find(".env");
    return found == state.end() ? "(absent)" : found->second;
  }

  void ExpectState(const TempFolder& folder, const State& state, const std::string& when) const {
    EXPECT_EQ(Files(folder), WithoutEnv(state)) << when;
    EXPECT_EQ(folder.Read("env/.env"), EnvOf(state)) << when;
  }

  void ExpectForeignFiles(const TempFolder& folder, const std::string& when) const {
    EXPECT_EQ(folder.Read("files/foreign"), "foreign") << when;
    EXPECT_EQ(folder.Read("env/foreign"), "foreign") << when;
  }

  // The next run, which nothing disturbs, leaves the new state and nothing else.
  void ExpectRecovery(const TempFolder& folder, const std::string& when) const {
    ASSERT_THAT(Publish(SetOf(folder, GetParam().after)), IsOk()) << when;
    ExpectState(folder, GetParam().after, when);
    ExpectForeignFiles(folder, when);
    EXPECT_THAT(folder.Names("env"), ElementsAre(".env", "foreign")) << when;
    std::vector<std::string> expected = {"foreign"};
    for (const auto& entry : WithoutEnv(GetParam().after)) {
      expected.push_back(entry.first.substr(0, entry.first.find('/')));
    }
    std::vector<std::string> visible;
    int hidden = 0;
    for (const std::string& name : folder.Names("files")) {
      if (name.front() == '.') {
        ++hidden;
      } else {
        visible.push_back(name);
      }
    }
    EXPECT_THAT(visible, testing::UnorderedElementsAreArray(expected)) << when;
    EXPECT_EQ(hidden, expected.size() > 1 ? 2 : 0) << when;
  }

  static int PublishInChild(const PublishSet& set) {
    const Status status = Publish(set);
    if (status.ok()) return kPublished;
    if (KindOf(status) != ErrorKind::kIo) return kOtherError;
    const bool not_durable = MessageOf(status).find("may not survive") != std::string::npos;
    return not_durable ? kPublishedNotDurable : kRefused;
  }
};

TEST_P(PublishStepTest, KilledAtAnySystemCallItLeavesOldOrNew) {
  int steps = 0;
  for (bool finished = false; !finished; ++steps) {
    const TempFolder folder(FastParent());
    ASSERT_NO_FATAL_FAILURE(Prepare(folder));
    const PublishSet set = SetOf(folder, GetParam().after);
    Strike strike;
    strike.at = steps + 1;
    const TracedRun run = RunTraced([&set] { return PublishInChild(set); }, strike);
    finished = !run.struck;
    const std::string when =
        "before step " + std::to_string(strike.at) + ", call " + std::to_string(run.call);
    ASSERT_EQ(run.killed, run.struck) << when;
    const State files = Files(folder);
    const bool new_files = files == WithoutEnv(GetParam().after);
    EXPECT_TRUE(new_files || files == WithoutEnv(GetParam().before))
        << when << ": " << testing::PrintToString(files);
    const std::string env = folder.Read("env/.env");
    if (env != EnvOf(GetParam().before)) {
      EXPECT_EQ(env, EnvOf(GetParam().after)) << when;
      EXPECT_TRUE(new_files) << when << ": the env file is new and the files are old";
    }
    ExpectForeignFiles(folder, when);
    if (finished) {
      EXPECT_EQ(run.exit_code, kPublished);
      ExpectState(folder, GetParam().after, "at the end");
    }
    ASSERT_NO_FATAL_FAILURE(ExpectRecovery(folder, when));
  }
  // It was indeed traced: there is no publishing without some dozens of calls.
  EXPECT_GT(steps, 30);
}

// Every call that touches the file system fails once, with what a full disk, a read-only or broken
// one says.
TEST_P(PublishStepTest, RefusedAtAnySystemCallItTakesEverythingBack) {
  const std::set<long> calls = {
      SYS_open,     SYS_openat, SYS_read,      SYS_write,    SYS_fsync,      SYS_mkdir,
      SYS_mkdirat,  SYS_stat,   SYS_lstat,     SYS_fstat,    SYS_newfstatat, SYS_statx,
      SYS_linkat,   SYS_fchmod, SYS_symlinkat, SYS_renameat, SYS_renameat2,  SYS_readlinkat,
      SYS_unlinkat, SYS_unlink, SYS_rmdir,     SYS_flock,    SYS_getdents64, SYS_getcwd};
  for (const int error_number : {ENOSPC, EROFS, EIO}) {
    int refused = 0;
    for (int step = 1;; ++step) {
      const TempFolder folder(FastParent());
      ASSERT_NO_FATAL_FAILURE(Prepare(folder));
      const PublishSet set = SetOf(folder, GetParam().after);
      const TracedRun run =
          RunTraced([&set] { return PublishInChild(set); }, {step, error_number, calls});
      if (!run.struck) break;
      const std::string when = "error " + std::to_string(error_number) + " at step " +
                               std::to_string(step) + ", call " + std::to_string(run.call);
      ASSERT_FALSE(run.killed) << when;
      EXPECT_NE(run.exit_code, kOtherError) << when;
      const bool old = run.exit_code == kRefused;
      ExpectState(folder, old ? GetParam().before : GetParam().after, when);
      ExpectForeignFiles(folder, when);
      if (old) ++refused;
      ASSERT_NO_FATAL_FAILURE(ExpectRecovery(folder, when));
    }
    EXPECT_GT(refused, 5);
  }
}

INSTANTIATE_TEST_SUITE_P(All, PublishStepTest, testing::ValuesIn(kScenarios),
                         [](const testing::TestParamInfo<Scenario>& scenario) {
                           return std::string(scenario.param.name);
                         });

// Runs `publish` as a user for whom permissions count, and gives what it returned.
int AsOrdinaryUser(const std::function<int()>& publish) {
  return RunTraced(
             [&publish] {
               if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return 98;
               return publish();
             },
             Strike{})
      .exit_code;
}

TEST(PublishPermissionTest, AFolderThatMayNotBeWrittenIsToldWithTheUser) {
  const TempFolder folder;
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
  std::filesystem::create_directory(folder / "files");
  ASSERT_EQ(chmod((folder / "files").c_str(), 0555), 0);
  PublishSet set;
  set.owned_folders.push_back(folder / "files");
  set.files.push_back({folder / "files/a", Secret::CopyOf("1")});
  const int code = AsOrdinaryUser([&set] {
    const Status status = Publish(set);
    const bool told = KindOf(status) == ErrorKind::kIo &&
                      MessageOf(status).find("Permission denied") != std::string::npos &&
                      HintOf(status).find("runs as user ") != std::string::npos;
    return told ? 0 : 1;
  });
  EXPECT_EQ(code, 0);
  EXPECT_THAT(folder.Names("files"), testing::IsEmpty());
}

TEST(PublishPermissionTest, AnEmptyDirOfAPodIsEnough) {
  const TempFolder folder;
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
  // As the kubelet makes it: owned by root, open to all.
  std::filesystem::create_directory(folder / "files");
  ASSERT_EQ(chmod((folder / "files").c_str(), 0777), 0);
  PublishSet set;
  set.owned_folders.push_back(folder / "files");
  set.files.push_back({folder / "files/a", Secret::CopyOf("1")});
  EXPECT_EQ(AsOrdinaryUser([&set] { return Publish(set).ok() && Publish(set).ok() ? 0 : 1; }), 0);
  EXPECT_EQ(folder.Read("files/a"), "1");
}

}  // namespace
}  // namespace vaultcore
