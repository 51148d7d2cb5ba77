#!/usr/bin/env python3
"""Real servers on loopback for tests and the demo: Vault, a Kubernetes API server, PostgreSQL.

On the command line:
  servers.py up   --state DIR [WHAT...]           start, write DIR/servers.json (0600), return
  servers.py down --state DIR                     stop what `up` started; fine when nothing runs
  servers.py run  [WHAT...] -- COMMAND [ARGS...]  start, run COMMAND with VC_TEST_* set, stop;
                                                  COMMAND's exit code
  WHAT: a Vault always (initialised, unsealed, TLS under a CA of its own), and
  --http           a plain listener beside it
  --tls-variants   listeners whose certificate is expired, for another host, of another CA; and one
                   that demands a client certificate
  --sealed --uninitialised --standby    further Vaults in that state
  --kube           etcd and a Kubernetes API server
  --postgres       PostgreSQL
  --guide          the integration guide's set-up: mounts secret/ (KV v2) and kv1/, the two
                   policies, a generator token, the AppRole harness and, with --kube, the
                   kubernetes login harness
`up` leaves one keeper process behind that holds the servers. It stops them at `down`, when
servers.json is removed, when the process that called `up` (ctest, a shell) has ended, and after two
hours. Killed, it takes them along.

As a library (every function and attribute is described where it is defined, in testservers/):
  start_vault(folder, ...) -> Vault
      .address .addresses .ca_cert .client_cert .client_key .root_token .unseal_key
      .api() .cli() .environment() .seal() .unseal() .health() .stop()
  start_kubernetes(folder) -> Kubernetes
      .address .ca_cert .kubeconfig .create_service_account() .issue_token() .expired_token()
      .create_reviewer() .api() .stop()
  start_postgres(folder) -> Postgres
      .host .port .database .user .password .psql() .stop()
  configure_guide(vault, kubernetes) -> Guide
      .generator_token .role_id .secret_id .namespace .role
  create_token, new_secret_id, mount_kv, policy, policy_v1: the guide's single steps
  Session(state).start(...), attach(state) -> Session
      .vaults .vault .kubernetes .postgres .guide .stop()
Whatever is started ends when the thread that started it ends, however it ends.
"""

import argparse
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

# pylint: disable=wrong-import-position
from testservers import processes
from testservers.guide import (
    Guide,
    configure_guide,
    create_token,
    mount_kv,
    new_secret_id,
    policy,
    policy_v1,
)
from testservers.kubernetes import Kubernetes, start_kubernetes
from testservers.postgres import Postgres, start_postgres
from testservers.processes import ServerError
from testservers.session import Session, attach
from testservers.vault import Vault, VaultError, find_vault, start_vault

__all__ = [
    "Guide",
    "Kubernetes",
    "Postgres",
    "ServerError",
    "Session",
    "Vault",
    "VaultError",
    "attach",
    "configure_guide",
    "create_token",
    "find_vault",
    "mount_kv",
    "new_secret_id",
    "policy",
    "policy_v1",
    "start_kubernetes",
    "start_postgres",
    "start_vault",
]

LIFETIME_SECONDS = 2 * 60 * 60


class Ended(Exception):
    """SIGTERM or SIGINT arrived."""


def _raise_on_signals():
    def on_signal(number, _frame):
        raise Ended(number)

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)


def _keep(session, options, owner, report):
    """The keeper: starts the servers, writes "" or an error to the descriptor REPORT, then waits
    for the end.
    """
    _raise_on_signals()
    try:
        session.keeper = (os.getpid(), processes.born(os.getpid()))
        session.start(**options)
    except (Ended, ServerError, OSError) as error:
        os.write(report, f"servers: {error or 'ended by a signal'}\n".encode())
        return
    finally:
        os.close(report)
    try:
        ends = time.monotonic() + LIFETIME_SECONDS
        while (
            session.file.exists()
            and processes.born(owner[0]) == owner[1]
            and time.monotonic() < ends
        ):
            time.sleep(0.5)
    except Ended:
        pass
    finally:
        session.stop()


def up(state, options):
    """Starts a keeper with the servers and returns when they are ready; the exit code."""
    down(state)
    session = Session(state)
    # What an earlier run left, logs and data; nothing else is ever removed.
    for name in ("vault", "sealed", "uninitialised", "standby", "kubernetes", "postgres"):
        shutil.rmtree(session.state / name, ignore_errors=True)
    owner = (os.getppid(), processes.born(os.getppid()))
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        os.close(reader)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        _keep(session, options, owner, writer)
        os._exit(0)
    os.close(writer)
    with open(reader, encoding="utf-8", errors="replace") as report:
        error = report.read()
    sys.stderr.write(error)
    return 1 if error else 0


def down(state):
    """Ends the keeper of STATE, which ends the servers; the exit code."""
    try:
        session = attach(state)
    except FileNotFoundError:
        return 0
    pid, started = session.keeper
    if processes.born(pid) == started:
        processes.stop(pid, seconds=20)
    if session.postgres:
        session.postgres.remove_data()  # In case the keeper was killed.
    session.file.unlink(missing_ok=True)
    return 0


def run(options, command):
    """Runs COMMAND with servers around it; its exit code (128 + N when a signal N ended it)."""
    _raise_on_signals()
    with tempfile.TemporaryDirectory(prefix="vaultcore-servers-") as state:
        try:
            session = Session(state).start(**options)
            try:
                child = subprocess.Popen(command, env={**os.environ, **session.environment()})
                try:
                    code = child.wait()
                except Ended as ended:
                    child.send_signal(ended.args[0])
                    code = child.wait()
                return code if code >= 0 else 128 - code
            finally:
                session.stop()
        except Ended as ended:
            return 128 + ended.args[0]


def main(argv):
    """The command line; returns the exit code."""
    what = argparse.ArgumentParser(add_help=False)
    what.add_argument("--http", action="store_true")
    what.add_argument("--tls-variants", action="store_true")
    what.add_argument("--sealed", action="store_true")
    what.add_argument("--uninitialised", action="store_true")
    what.add_argument("--standby", action="store_true")
    what.add_argument("--kube", action="store_true")
    what.add_argument("--postgres", dest="with_postgres", action="store_true")
    what.add_argument("--guide", dest="with_guide", action="store_true")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("up", "down"):
        verbs.add_parser(verb, parents=[what] if verb == "up" else []).add_argument(
            "--state", required=True
        )
    verbs.add_parser("run", parents=[what]).add_argument("command", nargs="+")
    options = vars(parser.parse_args(argv))
    verb = options.pop("verb")
    try:
        if verb == "up":
            return up(options.pop("state"), options)
        if verb == "down":
            return down(options["state"])
        return run(options, options.pop("command"))
    except ServerError as error:
        print(f"servers: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
