"""What `check NAME ...` in a scenario runs: checks that need more than a line."""

import json
import re
import shutil
import subprocess
import sys

from .parse import Failure

# Prints the environment as JSON, bytes that are no UTF-8 kept as surrogates.
DUMP = "import json,os,sys; json.dump(dict(os.environ), sys.stdout)"


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
    wanted = json.loads((run.work / values_file).read_text())
    for shell in shells:
        program = shutil.which(shell)
        if program is None:
            raise Failure(f"{shell} is not installed")
        words = [program, "sh"] if shell == "busybox" else [program]
        done = subprocess.run(
            [
                *words,
                "-c",
                'set -a && . "$1" && set +a && exec "$2" -c "$3"',
                "sh",
                str(run.work / env_file),
                sys.executable,
                DUMP,
            ],
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0 or done.stderr:
            raise Failure(f"{shell} cannot source it: {len(done.stderr)} bytes of complaint")
        got = json.loads(done.stdout)
        for name in ("PATH", "LANG", "PWD", "SHLVL", "_", "OLDPWD", "LC_CTYPE"):
            got.pop(name, None)
        if got != wanted:
            wrong = sorted(n for n in got.keys() | wanted.keys() if got.get(n) != wanted.get(n))
            raise Failure(f"{shell}: not as they were: {', '.join(wrong)}")


def check_generation(run, env_file, folder, *names):
    """The env file and the files NAMES of FOLDER hold the mark of one and the same generation
    (vc-canary-gen-N), and nothing else is left beside them.
    """
    texts = [(run.work / env_file).read_text()]
    texts += [(run.work / folder / name).read_text() for name in names]
    marks = [set(re.findall(r"vc-canary-gen-(\d+)", text)) for text in texts]
    if len(marks[0]) != 1 or any(mark != marks[0] for mark in marks):
        raise Failure(f"a mixture of states: {[sorted(mark) for mark in marks]}")
