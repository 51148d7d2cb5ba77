#include "support/syscall_tracer.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

namespace vaultcore {
namespace {

constexpr int kSyscallStop = SIGTRAP | 0x80;

int WaitFor(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw std::runtime_error("waitpid failed");
  }
  return status;
}

user_regs_struct Registers(pid_t child) {
  user_regs_struct registers = {};
  if (ptrace(PTRACE_GETREGS, child, nullptr, &registers) != 0) {
    throw std::runtime_error("cannot read the child's registers");
  }
  return registers;
}

void Continue(pid_t child, int signal) {
  ptrace(PTRACE_SYSCALL, child, nullptr, static_cast<long>(signal));
}

}  // namespace

TracedRun RunTraced(const std::function<int()>& body, const Strike& strike) {
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) {
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(99);
    raise(SIGSTOP);
    _exit(body());
  }
  int status = WaitFor(child);
  if (!WIFSTOPPED(status) ||
      ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) != 0) {
    kill(child, SIGKILL);
    throw std::runtime_error("the child cannot be traced");
  }
  TracedRun run;
  bool entering = true;
  bool failing = false;
  int count = 0;
  int signal = 0;
  while (true) {
    Continue(child, signal);
    signal = 0;
    status = WaitFor(child);
    if (WIFEXITED(status)) {
      run.exit_code = WEXITSTATUS(status);
      return run;
    }
    if (WIFSIGNALED(status)) {
      run.killed = true;
      return run;
    }
    if (WSTOPSIG(status) != kSyscallStop) {
      signal = WSTOPSIG(status);
      continue;
    }
    if (entering) {
      user_regs_struct registers = Registers(child);
      const long call = static_cast<long>(registers.orig_rax);
      if ((strike.calls.empty() || strike.calls.count(call) > 0) && ++count == strike.at) {
        run.struck = true;
        run.call = call;
        if (!strike.error_number) {
          kill(child, SIGKILL);
          WaitFor(child);
          run.killed = true;
          return run;
        }
        // A system call that does not exist is carried out instead, and its result replaced.
        registers.orig_rax = static_cast<unsigned long long>(-1);
        ptrace(PTRACE_SETREGS, child, nullptr, &registers);
        failing = true;
      }
    } else if (failing) {
      user_regs_struct registers = Registers(child);
      registers.rax = static_cast<unsigned long long>(-*strike.error_number);
      ptrace(PTRACE_SETREGS, child, nullptr, &registers);
      failing = false;
    }
    entering = !entering;
  }
}

}  // namespace vaultcore
