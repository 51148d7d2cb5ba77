#include "common/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>
#include <utility>

#include "vaultcore/base/file.h"

extern char** environ;

namespace apps {
namespace {

using vaultcore::ErrorKind;
using vaultcore::MakeError;
using vaultcore::Status;
using vaultcore::StatusOr;

constexpr auto kTick = std::chrono::milliseconds(100);
// How long a child may live on after it closed its outputs before we look again.
constexpr auto kReapTick = std::chrono::milliseconds(2);

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { Close(); }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

struct Pipe {
  Descriptor read_end;
  Descriptor write_end;
};

StatusOr<Pipe> MakePipe() {
  int fds[2];
  if (::pipe(fds) != 0) return vaultcore::ErrnoError(errno, "make", "a pipe");
  for (const int fd : fds) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fds[0], F_SETFL, O_NONBLOCK);
  Pipe made;
  made.read_end = Descriptor(fds[0]);
  made.write_end = Descriptor(fds[1]);
  return made;
}

size_t ResidentBytes([[maybe_unused]] pid_t pid) {
#ifdef __linux__
  const std::string path = "/proc/" + std::to_string(pid) + "/statm";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"),
                                                             &std::fclose);
  unsigned long long total = 0;
  unsigned long long resident = 0;
  if (file != nullptr && std::fscanf(file.get(), "%llu %llu", &total, &resident) == 2) {
    return static_cast<size_t>(resident) * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  }
#endif
  return 0;
}

// One child. Destroying a running one kills its group and reaps it.
class Child {
 public:
  explicit Child(const ProcessSpec& spec) : spec_(spec) {}
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  Status Start();
  bool ended() const { return pid_ == 0; }
  // Adds the outputs that are still open to `polled`.
  void Watch(std::vector<pollfd>& polled) const;
  // Reads what is there. Errors: kRejected beyond a limit.
  Status Read();
  // Notices the end.
  void Reap();
  ProcessResult TakeResult();

 private:
  Status ReadFrom(Descriptor& from, vaultcore::SecretBuilder& into, size_t limit, bool drop_beyond);

  const ProcessSpec& spec_;
  pid_t pid_ = -1;  // 0: started and reaped
  int exit_code_ = 0;
  Descriptor out_;
  Descriptor err_;
  vaultcore::SecretBuilder out_bytes_;
  vaultcore::SecretBuilder err_bytes_;
};

std::vector<char*> PointersTo(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

Status Child::Start() {
  VC_ASSIGN_OR_RETURN(Pipe out, MakePipe());
  VC_ASSIGN_OR_RETURN(Pipe err, MakePipe());

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write_end.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write_end.get(), STDERR_FILENO);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  for (const int number : {SIGINT, SIGTERM, SIGPIPE}) sigaddset(&defaults, number);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);

  const std::vector<char*> argv = PointersTo(spec_.argv);
  const std::vector<char*> envp = PointersTo(spec_.environment);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, spec_.argv.front().c_str(), &actions, &attributes,
                                  argv.data(), envp.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return vaultcore::ErrnoError(error, "start", spec_.argv.front());
  pid_ = pid;
  out_ = std::move(out.read_end);
  err_ = std::move(err.read_end);
  return absl::OkStatus();
}

void Child::Watch(std::vector<pollfd>& polled) const {
  for (const Descriptor* each : {&out_, &err_}) {
    if (each->open()) polled.push_back({each->get(), POLLIN, 0});
  }
}

Status Child::ReadFrom(Descriptor& from, vaultcore::SecretBuilder& into, size_t limit,
                       bool drop_beyond) {
  std::array<char, 65536> buffer;
  Status result = absl::OkStatus();
  while (from.open()) {
    const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
    if (got < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) from.Close();
      break;
    }
    if (got == 0) {
      from.Close();
      break;
    }
    const size_t room = limit - std::min(limit, into.size());
    const size_t count = static_cast<size_t>(got);
    if (count > room && !drop_beyond) {
      result = MakeError(ErrorKind::kRejected, spec_.argv.front() + ": printed more than " +
                                                   std::to_string(limit) + " bytes");
      break;
    }
    into.Append(std::string_view(buffer.data(), std::min(count, room)));
  }
  vaultcore::WipeMemory(buffer.data(), buffer.size());
  return result;
}

Status Child::Read() {
  VC_RETURN_IF_ERROR(ReadFrom(out_, out_bytes_, spec_.max_output_bytes, false));
  VC_RETURN_IF_ERROR(ReadFrom(err_, err_bytes_, spec_.max_error_bytes, true));
  if (spec_.max_resident_bytes > 0 && pid_ > 0 && ResidentBytes(pid_) > spec_.max_resident_bytes) {
    return MakeError(ErrorKind::kRejected, spec_.argv.front() + ": took more than " +
                                               std::to_string(spec_.max_resident_bytes >> 20) +
                                               " MiB of memory");
  }
  return absl::OkStatus();
}

void Child::Reap() {
  if (pid_ <= 0) return;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  // What it left behind in its group would keep the pipes open.
  ::kill(-pid_, SIGKILL);
  pid_ = 0;
}

ProcessResult Child::TakeResult() {
  ProcessResult result;
  result.exit_code = exit_code_;
  result.standard_output = out_bytes_.Take();
  result.standard_error = err_bytes_.Take();
  return result;
}

int WaitMilliseconds(const RunOptions& options, bool only_reaping) {
  const auto tick = only_reaping ? kReapTick : kTick;
  const auto left = vaultcore::TimeLeft(options.deadline, std::chrono::steady_clock::now());
  return static_cast<int>(std::min<vaultcore::Milliseconds>(tick, left).count());
}

Status CheckStop(const RunOptions& options, const std::string& program) {
  if (options.cancellation != nullptr && options.cancellation->cancelled()) {
    return MakeError(ErrorKind::kCancelled, "interrupted while " + program + " was running");
  }
  if (std::chrono::steady_clock::now() >= options.deadline) {
    return MakeError(ErrorKind::kTimeout, program + " took too long", "--timeout gives it longer");
  }
  return absl::OkStatus();
}

}  // namespace

StatusOr<std::vector<ProcessResult>> RunProcesses(const std::vector<ProcessSpec>& specs,
                                                  const RunOptions& options) {
  std::vector<std::unique_ptr<Child>> children;
  for (const ProcessSpec& spec : specs) {
    children.push_back(std::make_unique<Child>(spec));
    VC_RETURN_IF_ERROR(children.back()->Start());
  }
  for (;;) {
    std::vector<pollfd> polled;
    size_t ended = 0;
    for (const auto& child : children) {
      VC_RETURN_IF_ERROR(child->Read());
      child->Reap();
      // What it printed last is in the pipe still.
      if (child->ended()) VC_RETURN_IF_ERROR(child->Read());
      if (child->ended()) {
        ++ended;
      } else {
        child->Watch(polled);
      }
    }
    if (options.on_tick) options.on_tick(ended);
    if (ended == children.size()) break;
    const std::string& program = specs.front().argv.front();
    VC_RETURN_IF_ERROR(CheckStop(options, program));
    const bool only_reaping = polled.empty();
    if (options.cancellation != nullptr && options.cancellation->wait_fd() >= 0) {
      polled.push_back({options.cancellation->wait_fd(), POLLIN, 0});
    }
    ::poll(polled.data(), static_cast<nfds_t>(polled.size()),
           WaitMilliseconds(options, only_reaping));
  }
  std::vector<ProcessResult> results;
  results.reserve(children.size());
  for (const auto& child : children) results.push_back(child->TakeResult());
  return results;
}

StatusOr<std::string> FindProgram(std::string_view program,
                                  const vaultcore::EnvironmentLookup& environment) {
  const auto executable = [](const std::string& path) {
    struct stat info = {};
    return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
           ::access(path.c_str(), X_OK) == 0;
  };
  if (program.find('/') != std::string_view::npos) {
    std::string path(program);
    if (executable(path)) return path;
    return MakeError(ErrorKind::kNotFound, path + " is no program that can be run");
  }
  const std::string path_variable = environment("PATH").value_or("");
  std::string_view rest = path_variable;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(':'), rest.size());
    const std::string_view folder = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    // An empty or relative entry would run whatever lies in the working folder.
    if (folder.empty() || folder.front() != '/') continue;
    std::string path = std::string(folder) + "/" + std::string(program);
    if (executable(path)) return path;
  }
  return MakeError(ErrorKind::kNotFound, std::string(program) + " is not in PATH");
}

std::vector<std::string> FilteredEnvironment(const std::function<bool(std::string_view)>& drop) {
  std::vector<std::string> kept;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (!drop(text.substr(0, text.find('=')))) kept.emplace_back(text);
  }
  return kept;
}

}  // namespace apps
