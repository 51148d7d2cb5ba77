"""What a shell gets from an env file."""

import json
import shutil
import subprocess
import sys

from .parse import Failure

DUMP = "import json,os,sys; json.dump(dict(os.environ), sys.stdout)"
# What shells and Python set by themselves.
OWN = ("PATH", "LANG", "PWD", "SHLVL", "_", "OLDPWD", "LC_CTYPE")


def compare_sourced(env_file, wanted, shells):
    """Failure unless each of SHELLS that sources ENV_FILE has exactly the variables WANTED."""
    for shell in shells:
        program = shutil.which(shell)
        if program is None:
            raise Failure(f"{shell} is not installed")
        words = [program, "sh"] if shell == "busybox" else [program]
        script = 'set -a && . "$1" && set +a && exec "$2" -c "$3"'
        done = subprocess.run(
            [*words, "-c", script, "sh", str(env_file), sys.executable, DUMP],
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0 or done.stderr:
            raise Failure(f"{shell} cannot source it: {len(done.stderr)} bytes of complaint")
        got = json.loads(done.stdout)
        for name in OWN:
            got.pop(name, None)
        if got != wanted:
            wrong = sorted(n for n in got.keys() | wanted.keys() if got.get(n) != wanted.get(n))
            raise Failure(f"{shell}: not as they were: {', '.join(wrong)}")
