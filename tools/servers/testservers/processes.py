"""Child processes that never outlive their parent, free ports, and where the programs are."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

SERVERS_DIR = pathlib.Path(__file__).resolve().parent.parent


class ServerError(Exception):
    """A server could not be started or answered with an error; the text says which, and what to do.
    """


def versions():
    """The pinned versions of versions.env, by name."""
    text = (SERVERS_DIR / "versions.env").read_text()
    return dict(re.findall(r"^(\w+)=(\S+)$", text, re.MULTILINE))


def cache_dir():
    """Where tools/setup keeps what it brought."""
    if os.environ.get("VAULTCORE_CACHE"):
        return pathlib.Path(os.environ["VAULTCORE_CACHE"])
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return pathlib.Path(base) / "vaultcore"


def find_program(*names, folders=()):
    """The first of NAMES in what tools/setup chose (CACHE/path), in FOLDERS or on PATH; ServerError
    if there is none.
    """
    path = os.pathsep.join(
        [str(cache_dir() / "path"), *map(str, folders), os.environ.get("PATH", "")]
    )
    for name in names:
        found = shutil.which(name, path=path)
        if found:
            return found
    raise ServerError(f"{' or '.join(names)} not found: run tools/setup")


def free_ports(count):
    """COUNT different TCP ports of 127.0.0.1 that nobody listens on just now."""
    sockets = []
    try:
        for _ in range(count):
            one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            one.bind(("127.0.0.1", 0))
            sockets.append(one)
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def start(argv, log, env=None, user=None, cwd=None):
    """Starts ARGV with its output in the file LOG and returns its pid.

    The kernel ends it (SIGKILL) when the calling thread ends, so a crashed test leaves nothing
    behind. USER is (uid, gid) to change to when root.
    """
    command = ["setpriv", "--pdeathsig", "KILL"]
    if user:
        command += [f"--reuid={user[0]}", f"--regid={user[1]}", "--clear-groups"]
    with open(log, "ab") as output:
        child = subprocess.Popen(
            [*command, "--", *map(str, argv)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=env,
            cwd=cwd,
            start_new_session=True,
        )
    # From here on the pid alone counts, so that another process can stop the server just as well.
    child.returncode = 0
    return child.pid


def alive(pid):
    """Whether PID is a process that still runs; reaps it if it is our own child and has ended."""
    try:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    except ChildProcessError:
        pass
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def born(pid):
    """When PID was started (clock ticks since boot), which tells it from a later process of the
    same number; or None.
    """
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return int(stat.read().rpartition(")")[2].split()[19])
    except (FileNotFoundError, ProcessLookupError):
        return None


def stop(pid, seconds=5.0, first=signal.SIGTERM):
    """Ends PID: the signal FIRST, and SIGKILL when it is still there after SECONDS. Nothing when it
    is gone already.
    """
    for number, patience in ((first, seconds), (signal.SIGKILL, seconds)):
        if not alive(pid):
            return
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + patience
        while alive(pid) and time.monotonic() < deadline:
            time.sleep(0.01)


def wait_until(what, ready, pid, log, seconds=60.0):
    """Polls READY() until it is true; ServerError with the log's end when PID ends first or SECONDS
    are over.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        running = alive(pid)
        if running and time.monotonic() < deadline:
            time.sleep(0.02)
            continue
        tail = "\n".join(pathlib.Path(log).read_text(errors="replace").splitlines()[-15:])
        why = f"is not ready after {seconds:.0f} s" if running else "ended while it started"
        raise ServerError(f"{what} {why}; the end of {log}:\n{tail}")
