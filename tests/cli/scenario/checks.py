"""What `check NAME ...` in a scenario runs: checks that need more than a line."""

import json
import pathlib
import re
import subprocess
import time

from testservers.vault import VaultError

from . import loopback
from .acme import (  # pylint: disable=unused-import
    check_acme_report,
    check_acme_vault,
    check_by_hand_commands,
    check_loaded,
    check_rendered_loaders,
)
from .parse import Failure
from .shells import compare_sourced


def check_snapshot(run, name):
    """Notes all entries below the base path, with their versions."""
    run.snapshots[name] = run.vault.entries()


def check_unchanged(run, name):
    """All entries are as they were at the snapshot, and none has a new version."""
    before, after = run.snapshots[name], run.vault.entries()
    changed = sorted(
        path for path in before.keys() | after.keys() if before.get(path) != after.get(path)
    )
    if changed:
        raise Failure(f"changed since then: {', '.join(changed)}")


def check_kept(run, name):
    """Every key that was there at the snapshot has the value that it had; others may have come."""
    before, after = run.snapshots[name], run.vault.entries()
    for path, entry in before.items():
        for key, value in entry.data.items():
            if path not in after or after[path].data.get(key) != value:
                raise Failure(f"{path}: {key} is not what it was")


def check_equal(run, *places):
    """MOUNT/PATH:KEY ... all hold the same value."""
    entries = run.vault.entries()
    values = []
    for place in places:
        path, _, key = place.partition(":")
        if path not in entries or key not in entries[path].data:
            raise Failure(f"{place} is not there")
        values.append(entries[path].data[key])
    if any(value != values[0] for value in values):
        raise Failure("they are not all the same")


def check_different(run, *places):
    """MOUNT/PATH:KEY ... all hold different values."""
    entries = run.vault.entries()
    values = [entries[path].data[key] for path, _, key in (p.partition(":") for p in places)]
    if len(set(values)) != len(values):
        raise Failure("two of them are the same")


def check_sourced(run, env_file, values_file, *shells):
    """A shell that sources ENV_FILE has exactly the variables of VALUES_FILE (JSON), byte for byte."""
    compare_sourced(run.work / env_file, json.loads((run.work / values_file).read_text()), shells)


def _marks(run, path):
    """The generations (vc-canary-gen-N) whose mark the file holds."""
    return set(re.findall(r"vc-canary-gen-(\d+)", (run.work / path).read_text()))


def check_generation(run, env_file, folder, *names):
    """The env file and the files NAMES of FOLDER are all of one generation (vc-canary-gen-N)."""
    marks = [_marks(run, env_file)] + [_marks(run, f"{folder}/{name}") for name in names]
    if len(marks[0]) != 1 or any(mark != marks[0] for mark in marks):
        raise Failure(f"a mixture of states: {[sorted(mark) for mark in marks]}")


def check_interrupted(run, env_file, folder, *names):
    """The files NAMES of FOLDER are all of one generation, and the env file is of that one or, as a
    whole, of an older one: it is switched last, and there is no atomic switch over two places.
    """
    marks = [_marks(run, f"{folder}/{name}") for name in names]
    env = _marks(run, env_file)
    if len(env) != 1 or len(marks[0]) != 1 or any(mark != marks[0] for mark in marks):
        raise Failure(f"a mixture of states: {[sorted(mark) for mark in (env, *marks)]}")
    if int(min(env)) > int(min(marks[0])):
        raise Failure("the env file was switched before the files")


def check_no_leftovers(run, folder, *owned):
    """Nothing hidden is left in FOLDER but what starts with another name than ours, and in the folders
    OWNED just the current set.
    """
    for name in (folder, *owned):
        path = run.work / name
        hidden = {entry.name for entry in path.iterdir() if entry.name.startswith(".vaultcore-")}
        if name in owned:
            current = path / ".vaultcore-current"
            hidden -= {current.name, current.readlink().name}
        if hidden:
            raise Failure(f"{name} still holds {', '.join(sorted(hidden))}")


def check_tokens_of_role(run, name):
    """As many tokens of the scenario's AppRole live as when NAME was first asked for."""
    count = 0
    for accessor in run.vault.vault.api("LIST", "auth/token/accessors")["data"]["keys"]:
        try:
            token = run.vault.vault.api(
                "POST", "auth/token/lookup-accessor", {"accessor": accessor}
            )
        except VaultError:  # It has ended meanwhile.
            continue
        count += (token["data"].get("meta") or {}).get("role_name") == run.vault.role
    before = run.snapshots.setdefault(f"tokens {name}", count)
    if count != before:
        raise Failure(f"{count} tokens, there were {before}")


def check_numbers_kept(run, path, *wanted):
    """KEY=TEXT: the entry's JSON, as Vault sends it, holds the number with just this text."""
    mount, _, rest = path.partition("/")
    answer = _curl(run, "GET", f"{mount}/data/{rest}")
    for word in wanted:
        key, text = word.split("=")
        if not re.search(rf'"{re.escape(key)}": ?{re.escape(text)}[,\s}}]', answer):
            raise Failure(f"{path}: {key} is no longer {text}")


def check_value_written(run, path, values_file):
    """Writes VALUES_FILE (JSON) to MOUNT/PATH as it stands; the vault command line would round its
    numbers.
    """
    mount, _, rest = path.partition("/")
    text = (run.work / values_file).read_text()
    if mount == "secret":
        _curl(run, "PUT", f"{mount}/data/{rest}", f'{{"data":{text}}}')
    else:
        _curl(run, "PUT", f"{mount}/{rest}", text)


def _curl(run, method, path, body=None):
    """The answer to a request as root, as it stands."""
    vault = run.vault.vault
    words = ["curl", "-sS", "--fail", "--cacert", vault.ca_cert, "-X", method, "-H", "@-"]
    if body is not None:
        words += ["--data-binary", body]
    done = subprocess.run(
        [*words, f"{vault.address}/v1/{path}"],
        input=f"X-Vault-Token: {vault.root_token}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failure(f"{method} {path}: {done.stderr.strip()}")
    return done.stdout


def check_same_secrets(run, first, second, *keys):
    """Below MOUNT/PATH and below the other, each of KEYS stands in the same entries and is the same."""
    entries = run.vault.entries()

    def below(folder):
        return {
            (path.removeprefix(folder), key): value
            for path, entry in entries.items()
            if path.startswith(folder + "/")
            for key, value in entry.data.items()
            if key in keys
        }

    here, there = below(first), below(second)
    if {key for _, key in here} != set(keys):
        raise Failure(f"not all of them are below {first}")
    if here != there:
        wrong = sorted(str(p) for p in here.keys() | there.keys() if here.get(p) != there.get(p))
        raise Failure(f"not the same: {', '.join(wrong)}")


def check_no_children(run, name):
    """No process of this scenario whose command line holds NAME still runs."""
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        if str(run.work).encode() in words and name.encode() in words:
            raise Failure(f"{name} still runs (pid {path.parent.name})")


def check_proxied(run, pattern, count="1"):
    """Waits until the proxy has seen COUNT writes that match."""
    deadline = time.monotonic() + 30
    while True:
        seen = [
            request
            for request in run.proxies[-1].requests
            if request[0] in ("POST", "PUT") and loopback.matches("-", pattern, request)
        ]
        if len(seen) >= int(count):
            return
        if time.monotonic() > deadline:
            raise Failure(f"the proxy saw {run.proxies[-1].requests}")
        time.sleep(0.01)
