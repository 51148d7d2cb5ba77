// Child processes for real: what they get, what comes back, and that nothing of them is left.

#include "common/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "common/ui.h"
#include "support/status_matchers.h"

namespace apps {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using vaultcore::ErrorKind;
using vaultcore::IsOk;
using vaultcore::StatusIs;

ProcessSpec Shell(const std::string& script) {
  ProcessSpec spec;
  spec.argv = {"/bin/sh", "-c", script};
  spec.environment = {"PATH=/usr/bin:/bin"};
  return spec;
}

class ProcessTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "process-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // The process that a script wrote its own number to a file for; 0 when there is no such file yet.
  pid_t Written(const std::string& file) const {
    pid_t pid = 0;
    std::ifstream(folder_ + "/" + file) >> pid;
    return pid;
  }
  // True when it has ended within two seconds.
  static bool IsGone(pid_t pid) {
    const auto deadline = steady_clock::now() + milliseconds(2000);
    while (::kill(pid, 0) == 0 && !IsZombie(pid)) {
      if (steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return true;
  }

  std::string folder_;

 private:
  // Orphans wait for whoever plays init here.
  static bool IsZombie(pid_t pid) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    std::getline(stat, text);
    const size_t end = text.rfind(')');
    return end != std::string::npos && text.size() > end + 2 && text[end + 2] == 'Z';
  }
};

TEST_F(ProcessTest, GivesOutputsAndExitCodesInOrder) {
  const auto results = RunProcesses(
      {Shell("sleep 0.1; echo one; echo err >&2; exit 3"), Shell("echo two"), Shell("kill -9 $$")},
      {});
  ASSERT_THAT(results, IsOk());
  EXPECT_EQ((*results)[0].exit_code, 3);
  EXPECT_EQ((*results)[0].standard_output.Reveal(), "one\n");
  EXPECT_EQ((*results)[0].standard_error.Reveal(), "err\n");
  EXPECT_EQ((*results)[1].exit_code, 0);
  EXPECT_EQ((*results)[1].standard_output.Reveal(), "two\n");
  EXPECT_EQ((*results)[2].exit_code, 128 + SIGKILL);
}

TEST_F(ProcessTest, TheEnvironmentIsTheGivenOneAndStandardInputIsEmpty) {
  ASSERT_EQ(::setenv("VC_PROCESS_TEST", "canary", 1), 0);
  ProcessSpec spec = Shell("env; cat");
  spec.environment.emplace_back("OWN=1");
  const auto results = RunProcesses({spec}, {});
  ::unsetenv("VC_PROCESS_TEST");
  ASSERT_THAT(results, IsOk());
  const std::string output(results->front().standard_output.Reveal());
  EXPECT_THAT(output, HasSubstr("OWN=1\n"));
  EXPECT_THAT(output, Not(HasSubstr("canary")));
}

TEST_F(ProcessTest, ManyBytesComeThroughWhole) {
  const auto results = RunProcesses({Shell("head -c 3000000 /dev/zero | tr '\\0' x")}, {});
  ASSERT_THAT(results, IsOk());
  EXPECT_EQ(results->front().standard_output.Reveal(), std::string(3'000'000, 'x'));
}

TEST_F(ProcessTest, TooMuchOutputEndsIt) {
  ProcessSpec spec = Shell("echo $$ > " + folder_ + "/pid; exec yes");
  spec.max_output_bytes = 100'000;
  EXPECT_THAT(RunProcesses({spec}, {}), StatusIs(ErrorKind::kRejected, HasSubstr("100000")));
  EXPECT_TRUE(IsGone(Written("pid")));
}

TEST_F(ProcessTest, TooManyErrorsAreDropped) {
  ProcessSpec spec = Shell("head -c 300000 /dev/zero >&2; echo done");
  spec.max_error_bytes = 1000;
  const auto results = RunProcesses({spec}, {});
  ASSERT_THAT(results, IsOk());
  EXPECT_EQ(results->front().standard_error.size(), 1000u);
  EXPECT_EQ(results->front().standard_output.Reveal(), "done\n");
}

TEST_F(ProcessTest, TooMuchMemoryEndsIt) {
  // A shell variable of 64 MiB.
  ProcessSpec spec = Shell("x=$(head -c 67108864 /dev/zero | tr '\\0' x); sleep 30; echo $x");
  spec.max_resident_bytes = 32u << 20;
  EXPECT_THAT(RunProcesses({spec}, {}), StatusIs(ErrorKind::kRejected, HasSubstr("memory")));
}

TEST_F(ProcessTest, TheDeadlineEndsItAndWhatItStarted) {
  RunOptions options;
  options.deadline = steady_clock::now() + milliseconds(400);
  const auto begin = steady_clock::now();
  EXPECT_THAT(RunProcesses({Shell("sleep 60 & echo $! > " + folder_ + "/child; echo $$ > " +
                                  folder_ + "/pid; wait"),
                            Shell("exit 0")},
                           options),
              StatusIs(ErrorKind::kTimeout));
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(20));
  ASSERT_NE(Written("pid"), 0);
  ASSERT_NE(Written("child"), 0);
  EXPECT_TRUE(IsGone(Written("pid")));
  EXPECT_TRUE(IsGone(Written("child")));
}

TEST_F(ProcessTest, CancellationEndsItAtOnce) {
  vaultcore::Cancellation cancellation;
  RunOptions options;
  options.cancellation = &cancellation;
  std::thread canceller([&] {
    while (Written("pid") == 0) std::this_thread::sleep_for(milliseconds(5));
    cancellation.Cancel();
  });
  EXPECT_THAT(RunProcesses({Shell("echo $$ > " + folder_ + "/pid; exec sleep 60")}, options),
              StatusIs(ErrorKind::kCancelled));
  canceller.join();
  EXPECT_TRUE(IsGone(Written("pid")));
}

// What a child leaves behind keeps the pipes open; it is not waited for.
TEST_F(ProcessTest, DoesNotWaitForWhatAChildLeavesBehind) {
  const auto begin = steady_clock::now();
  const auto results =
      RunProcesses({Shell("sleep 60 & echo $! > " + folder_ + "/child; echo done")}, {});
  ASSERT_THAT(results, IsOk());
  EXPECT_EQ(results->front().standard_output.Reveal(), "done\n");
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(20));
  EXPECT_TRUE(IsGone(Written("child")));
}

TEST_F(ProcessTest, TellsHowManyHaveEnded) {
  size_t most = 0;
  RunOptions options;
  options.on_tick = [&](size_t ended) { most = std::max(most, ended); };
  ASSERT_THAT(RunProcesses({Shell("exit 0"), Shell("exit 0")}, options), IsOk());
  EXPECT_EQ(most, 2u);
}

TEST_F(ProcessTest, AProgramThatIsNotThereIsToldByName) {
  ProcessSpec spec;
  spec.argv = {folder_ + "/no-such-program"};
  EXPECT_THAT(RunProcesses({spec}, {}),
              StatusIs(ErrorKind::kNotFound, HasSubstr("no-such-program")));
}

TEST_F(ProcessTest, FindProgramLooksThroughPath) {
  const std::string program = folder_ + "/tool";
  std::ofstream(folder_ + "/data") << "x";
  std::ofstream(program) << "#!/bin/sh\n";
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  const auto with_path = [&](const std::string& path) {
    return [path](std::string_view name) -> std::optional<std::string> {
      if (name == "PATH") return path;
      return std::nullopt;
    };
  };
  const auto found = FindProgram("tool", with_path("/no/such:" + folder_));
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(*found, program);
  EXPECT_THAT(FindProgram(program, with_path("")), IsOk());
  EXPECT_THAT(FindProgram("data", with_path(folder_)), StatusIs(ErrorKind::kNotFound));
  EXPECT_THAT(FindProgram("tool", with_path(".::" + folder_ + "x")),
              StatusIs(ErrorKind::kNotFound));
}

TEST_F(ProcessTest, FilteredEnvironmentDropsByName) {
  ASSERT_EQ(::setenv("VC_PROCESS_TEST", "value=x", 1), 0);
  EXPECT_THAT(FilteredEnvironment([](std::string_view name) { return name != "VC_PROCESS_TEST"; }),
              ElementsAre("VC_PROCESS_TEST=value=x"));
  ::unsetenv("VC_PROCESS_TEST");
}

}  // namespace
}  // namespace apps
