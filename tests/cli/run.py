#!/usr/bin/env python3
"""Runs command-line scenarios: both programs, a real Vault, a real Helm.

  run.py [--state DIR] [--keep] [-j N] [-v] SCENARIO.txt ...
      DIR holds the shared servers (tools/servers/servers.py up --state DIR); without it they are
      started for this run and stopped after it. --keep leaves the work folders. The programs are
      named by VC_GENERATOR and VC_LOADER, helm by VC_HELM (else what tools/setup brought, or PATH).
  run.py --search-logs FOLDER ...   fails if a canary, token or service account token stands in a file there
  run.py --self-test                the runner's own tests

A scenario is one file: what it is about (lines with #), then one directive a line, then the files
of its work folder, each after a line "-- NAME --". Words are split as in sh; ${NAME} is replaced in
directives and files ($${ is a plain ${). A file that starts with #! can be run.

Set-up
  server shared      the Vault of all scenarios, set up as the guide says, for this scenario's BASE
  server own         a Vault of the scenario's own, set up to the guide's letter (BASE is harness)
  server sealed | uninitialised    the shared Vault in that state
  server standby     a raft pair of its own; ADDR is the standby's
  control seal | unseal | stop     the scenario's own Vault
  as generator | runtime | root | default | none [ttl=1s] [policy=FILE]
                     the token in VAULT_TOKEN from here on (policy: of FILE alone)
  account FILE NAME [namespace=N] [audience=A] [expired]    a service account token from the API server
  wrap NAME          the variable NAME is a response-wrapped secret-id of the AppRole
  env NAME=VALUE ... | env -NAME ...      the environment of later commands
  proxy [METHOD /PATTERN delay=S | status=N [times=N] [header=NAME:VALUE] [body=TEXT]] ...
                     PROXY_ADDR is a plain HTTP server in front of this Vault; requests that match a
                     rule wait S seconds, or are answered with N (the first N times)
  listener silent | garbage     LISTENER_ADDR (host:port) takes connections and says nothing, or nonsense
  tmpfs FOLDER SIZE | readonly FOLDER     mounted for this scenario only

Running
  [! STATUS] PROGRAM ARGUMENT ... [<FILE] [&NAME]
                     must end with STATUS (0; "1|2" either); &NAME: in the background. `vault` is
                     the Vault command line as root; anything else is looked for in PATH
  signal NAME TERM|INT|KILL [SECONDS]     after so many seconds
  until NAME PATTERN                      waits until its standard error matches
  wait NAME [STATUS]
  for VARIABLE in WORD ... / end

Looking (PATTERN: a regular expression, searched line by line; ${NAME} in it is literal)
  stdout [!] PATTERN | stderr [!] PATTERN      of the last program that ended
  stdout is FILE | stderr is FILE              exactly
  stdout empty | stderr empty
  stderr lines N
  grep [!] PATTERN FILE
  same FILE FILE                               byte for byte
  file PATH [mode=0600] [size=N] [owner=UID] [absent]
  folder PATH [NAME ...]                       just these are in it, hidden ones aside
  entry MOUNT/PATH [absent] [version=N] [only=KEY,KEY] [KEY=VALUE] [KEY~PATTERN] [!KEY] ...
                                               through `vault kv get`
  requests METHOD /PATTERN N                   the proxy saw N of them ("-" as METHOD: any)
  check NAME ARGUMENT ...                      a function of scenario/checks.py

Variables: WORK the work folder; PUBLIC a folder that every user can reach, for outputs like out/; ADDR, HTTP_ADDR, CACERT, ADDR_EXPIRED, ADDR_OTHER_HOST,
ADDR_OTHER_CA, ADDR_CLIENT_CERT, ADDR_AS_HTTP and HTTP_ADDR_AS_HTTPS (the wrong scheme), CLIENT_CERT,
CLIENT_KEY of the server; BASE the base path; ROLE the
kubernetes role and AppRole, ROLE_ID, SECRET_ID; CHARTS the charts of these tests, EXAMPLES; GENERATOR, LOADER, HELM,
HELM3 the programs;
PROXY_ADDR, LISTENER_ADDR;
SECRET_any-name: a secret with a canary in it.

Nothing secret shown: whatever our programs print, the arguments and environment of every helm they
start, and every file they leave outside out/ are searched for canaries, for tokens, and for what stands in
Vault below BASE in the end. One find fails the scenario.
"""

import argparse
import concurrent.futures
import contextlib
import os
import pathlib
import shutil
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "tools" / "servers")]

# pylint: disable=wrong-import-position
import servers

from scenario import leaks, selftest
from scenario.interpreter import Interpreter, Programs
from scenario.parse import Failure, parse


def run_one(path, state, work, keep, verbose):
    """Runs one scenario in this process; True when it passed. Prints the transcript."""
    started = time.monotonic()
    path = pathlib.Path(path)
    lines = []
    error = None
    try:
        scenario = parse(path)
        lines += [f"# {line}" for line in scenario.description]
        interpreter = Interpreter(scenario, servers.attach(state), work, Programs.find(), lines)
        try:
            interpreter.run()
        finally:
            interpreter.close()
    except (Failure, servers.ServerError) as failure:
        error = str(failure)
    except Exception:  # pylint: disable=broad-except
        error = traceback.format_exc()
    seconds = time.monotonic() - started
    if error or verbose:
        print("\n".join(lines))
    print(f"{'FAILED' if error else 'ok'} {path.stem} ({seconds:.1f} s)", flush=True)
    if error:
        print(error, flush=True)
    if keep or error:
        print(f"the work folder is {work}", flush=True)
    return error is None


def in_child(path, state, work, keep, verbose):
    """run_one in a child process, whose mounts and servers end with it."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = 0 if run_one(path, state, work, keep, verbose) else 1
        except BaseException:  # pylint: disable=broad-except
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    passed = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    if passed and not keep:
        shutil.rmtree(work, ignore_errors=True)  # Only now, when its mounts are gone.
    return passed


@contextlib.contextmanager
def shared_servers(state):
    """The state folder of the shared servers: STATE, or that of servers started just now."""
    if state:
        if not (pathlib.Path(state) / "servers.json").exists():
            sys.exit(f"run.py: no servers run in {state}: the fixture that starts them has failed")
        yield state
        return
    with tempfile.TemporaryDirectory(prefix="vaultcore-cli-") as folder:
        print("starting the servers", flush=True)
        session = servers.Session(folder).start(**servers_of_scenarios())
        try:
            yield folder
        finally:
            session.stop()


def servers_of_scenarios():
    """What the shared session holds; the fixture of the integration tests starts the same."""
    return {
        "http": True,
        "tls_variants": True,
        "sealed": True,
        "uninitialised": True,
        "kube": True,
        "with_guide": True,
    }


def main(argv):
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO.txt")
    parser.add_argument("--state", help="state folder of the running servers")
    parser.add_argument("--work", help="parent of the work folders")
    parser.add_argument("--keep", action="store_true", help="leave the work folders")
    parser.add_argument("-j", "--jobs", type=int, default=1)
    parser.add_argument("-v", "--verbose", action="store_true", help="show what passes, too")
    parser.add_argument("--search-logs", nargs="+", metavar="FOLDER")
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args(argv)
    if options.self_test:
        return selftest.run()
    if options.search_logs:
        return leaks.search_logs(options.search_logs)
    if not options.scenarios:
        parser.error("which scenarios?")
    parent = options.work or tempfile.mkdtemp(prefix="vaultcore-work-")
    try:
        with shared_servers(options.state) as state:
            with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
                runs = [
                    pool.submit(
                        in_child,
                        path,
                        state,
                        pathlib.Path(parent).resolve() / pathlib.Path(path).stem,
                        options.keep,
                        options.verbose,
                    )
                    for path in options.scenarios
                ]
                failed = sum(not run.result() for run in runs)
    except servers.ServerError as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 1
    if not options.work:
        with contextlib.suppress(OSError):
            os.rmdir(parent)
    if len(options.scenarios) > 1:
        print(f"{len(options.scenarios) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
