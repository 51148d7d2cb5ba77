"""Runs the directives of one scenario; run.py lists them."""

import ctypes
import dataclasses
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import servers
from testservers import processes

from . import leaks, loopback
from .looking import Looking
from .parse import Failure, expand
from .vaults import VaultBinding

COMMAND_SECONDS = 90
PROJECT = pathlib.Path(__file__).resolve().parents[3]
SANITIZERS = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS")


def masked(text):
    """TEXT of a scenario or another program, fit for the transcript, which is searched as well."""
    return re.sub(r"vc-canary-[\w-]*", "(canary)", text)


@dataclasses.dataclass
class Programs:
    """Where the programs are; `own` by the name that scenarios use."""

    own: dict
    helm: str
    helm3: str = ""

    @staticmethod
    def find():
        """From VC_GENERATOR, VC_LOADER and VC_HELM."""
        own = {}
        for name, variable in (
            ("vaultSecretGenerator", "VC_GENERATOR"),
            ("vault-secret-loader", "VC_LOADER"),
        ):
            path = os.path.abspath(os.environ.get(variable, ""))
            if variable not in os.environ or not os.access(path, os.X_OK):
                raise Failure(f"{variable} must name {name}: {path} cannot be run")
            own[name] = path
        helm = os.environ.get("VC_HELM") or processes.find_program("helm")
        return Programs(own, helm, processes.find_program("helm3", "helm"))


@dataclasses.dataclass
class Job:
    """One program that runs or ran."""

    words: list
    child: subprocess.Popen
    output: pathlib.Path  # and `.err` beside it
    ours: bool

    def stdout(self):
        """What it has printed so far."""
        return self.output.read_bytes()

    def stderr(self):
        """What it has printed to standard error so far."""
        return self.output.with_suffix(".err").read_bytes()


class Interpreter(Looking):
    """The state of one running scenario."""

    def __init__(self, scenario, session, folder, programs, transcript):
        self.scenario, self.session, self.programs = scenario, session, programs
        self.transcript = transcript
        shutil.rmtree(folder, ignore_errors=True)
        self.work = folder / "work"
        self.private = folder / "runner"  # what the programs do not see
        for path in (self.work / "home", self.work / "tmp", self.work / "out", self.private):
            path.mkdir(parents=True)
        self.public = tempfile.mkdtemp(prefix="vaultcore-public-")
        os.chmod(self.public, 0o755)
        self.calls = self.private / "helm-calls"
        self.calls.mkdir()
        self.vault = None
        self.own_mounts = self.written = False
        self.proxies = []
        self.jobs = {}
        self.count = 0
        self.last = None
        self.known = {}  # needle: what it is
        self.outputs = []  # (what, bytes) of our programs
        self.inputs = {}
        self.snapshots = {}
        self.variables = {
            "WORK": str(self.work),
            "CHARTS": str(PROJECT / "tests" / "cli" / "charts"),
            "EXAMPLES": str(PROJECT / "examples"),
            "NAME": scenario.name,
            "PUBLIC": self.public,
            "GENERATOR": self.programs.own.get("vaultSecretGenerator", ""),
            "LOADER": self.programs.own.get("vault-secret-loader", ""),
            "HELM": self.programs.helm,
            "HELM3": self.programs.helm3,
        }
        self.environment = {
            "PATH": f"{self._helm_wrapper()}:{os.environ.get('PATH', os.defpath)}",
            "HOME": str(self.work / "home"),
            "TMPDIR": str(self.work / "tmp"),
            "LANG": "C.UTF-8",
            "SECRETS_LOADER_TERMINATION_LOG": str(self.work / "termination-log"),
            **{name: os.environ[name] for name in SANITIZERS if name in os.environ},
        }

    # Running

    def run(self):
        """All steps, then the search for what must not be seen."""
        self._steps(self.scenario.steps)
        for name, job in self.jobs.items():
            if job.child.poll() is None:
                raise Failure(f"{name} still runs at the end: add `wait {name}`")
        self._search_for_secrets()

    def close(self):
        """Ends what is still running."""
        for job in self.jobs.values():
            if job.child.poll() is None:
                job.child.kill()
                job.child.wait()
        for proxy in self.proxies:
            proxy.close()
        if self.vault:
            self.vault.close()
        shutil.rmtree(self.public, ignore_errors=True)

    def _steps(self, steps):
        for step in steps:
            try:
                if step.words[0] == "for":
                    for word in step.words[3:]:
                        self.variables[step.words[1]] = expand(word, self.variables)
                        self._steps(step.body)
                    continue
                self.transcript.append(f"{step.line}: {masked(step.text)}")
                self._step(step.words)
            except Failure as failure:
                if getattr(failure, "located", False):
                    raise
                located = Failure(
                    f"{self.scenario.path}:{step.line}: {masked(step.text)}\n"
                    f"  {failure}{self._shown()}"
                )
                located.located = True
                raise located from None

    def _step(self, words):
        name = words[0]
        if name in ("stdout", "stderr", "grep", "until"):
            getattr(self, f"do_{name}")(words[1:])
            return
        words = [self._expand(word) for word in words]
        handler = getattr(self, f"do_{name.replace('-', '_')}", None)
        if handler:
            handler(words[1:])
        else:
            self._program(words)

    def _expand(self, word):
        return expand(word, self.variables)

    def _pattern(self, word):
        try:
            return re.compile(expand(word, self.variables, re.escape), re.MULTILINE)
        except re.error as error:
            raise Failure(f"the pattern is malformed: {error}") from None

    def _write_files(self):
        """Embedded files are written right before the first program runs, with what is known then."""
        if self.written:
            return
        self.written = True
        for name, text in self.scenario.files.items():
            path = self.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(expand(text, self.variables), encoding="utf-8")
            if text.startswith("#!"):
                path.chmod(0o755)
            self.inputs[path] = path.read_bytes()

    def _program(self, words):
        wanted, stdin, background = {0}, subprocess.DEVNULL, None
        if words[0] == "!":
            wanted = {int(number) for number in words[1].split("|")}
            words = words[2:]
        if words[-1].startswith("&"):
            background = words.pop()[1:]
        self._write_files()
        if words[-1].startswith("<"):
            stdin = (self.work / words.pop()[1:]).open("rb")
        job = self._start(words, stdin)
        if background:
            self.jobs[background] = job
        else:
            self._finish(job, wanted)

    def _start(self, words, stdin=subprocess.DEVNULL):
        name = words[0]
        environment = self.environment
        # Also when another program (script, setpriv) runs it, or a copy of it.
        ours = name in self.programs.own or any(
            own in word or word.endswith("/secrets-manager")
            for own in self.programs.own.values()
            for word in words
        )
        path = self.programs.own.get(name)
        if name == "vault":
            path, environment = self._need_vault().command_line()
        elif path is None:
            path = shutil.which(name, path=f"{self.work}:{os.environ.get('PATH', os.defpath)}")
            if path is None:
                raise Failure(f"{name} is no directive, and no program of this name is installed")
        self.count += 1
        output = self.private / f"{self.count}-{pathlib.Path(name).name}.out"
        with output.open("wb") as out, output.with_suffix(".err").open("wb") as err:
            child = subprocess.Popen(
                [path, *words[1:]],
                executable=path,
                cwd=self.work,
                env=environment,
                stdin=stdin,
                stdout=out,
                stderr=err,
            )
        return Job(words, child, output, ours)

    def _finish(self, job, wanted):
        try:
            status = job.child.wait(COMMAND_SECONDS)
        except subprocess.TimeoutExpired:
            job.child.kill()
            job.child.wait()
            status = f"none: it still ran after {COMMAND_SECONDS} s"
        self.last = job
        found = []
        if job.ours:
            self.outputs += [
                (f"standard output of {job.output.name}", job.stdout()),
                (f"standard error of {job.output.name}", job.stderr()),
            ]
            for what, data in self.outputs[-2:]:
                found += [f"{what} shows {leak}" for leak in leaks.find(data, self.known)]
        self._record(job, status)
        if found:
            raise Failure("; ".join(found))
        if status not in wanted:
            names = "|".join(map(str, sorted(wanted)))
            raise Failure(f"the exit status is {status}, not {names}")

    def _record(self, job, status):
        for text in (job.stdout(), job.stderr()):
            shown = text[:6000]
            if not job.ours:
                for needle in self.known:
                    shown = shown.replace(needle, b"(masked)")
            text = shown.decode(errors="replace")
            text = text if job.ours else masked(text)
            self.transcript += [f"    | {line}" for line in text.splitlines()]
        self.transcript.append(f"    = {status}")

    def _shown(self):
        """The end of what the last program said, for a failure's text; the rest is in the transcript."""
        if not self.last or not self.last.ours:
            return ""
        lines = (self.last.stdout() + self.last.stderr()).decode(errors="replace").splitlines()
        return "".join(f"\n  | {line}" for line in lines[-30:])

    def _need_vault(self):
        if not self.vault:
            raise Failure("begin with `server shared` (or own, sealed, ...)")
        return self.vault

    def learn(self, what, value):
        """From now on VALUE must not be seen."""
        for needle in leaks.needles_of(value):
            self.known.setdefault(needle, what)

    # Set-up

    def do_server(self, words):
        """server shared|own|sealed|uninitialised|standby"""
        self.vault = VaultBinding(words[0], self.session, self.scenario.name, self.private)
        self.variables.update(self.vault.variables())
        self.written = False
        for what, value in self.vault.secrets():
            self.learn(what, value)
        self.environment["VAULT_CACERT"] = self.vault.vault.ca_cert

    def do_control(self, words):
        """control seal|unseal|stop"""
        if not self._need_vault().private:
            raise Failure("only a Vault of the scenario's own may be controlled: server own")
        getattr(self.vault.vault, words[0])()

    def do_as(self, words):
        """as WHO [ttl=...] [policy=FILE]"""
        options = dict(word.split("=", 1) for word in words[1:])
        self.environment.pop("VAULT_TOKEN", None)
        if words[0] == "none":
            return
        policy = None
        if "policy" in options:
            self._write_files()
            policy = (self.work / options["policy"]).read_text()
        token = self._need_vault().token(words[0], options.get("ttl", "1h"), policy)
        self.learn(f"the {words[0]} token", token)
        self.environment["VAULT_TOKEN"] = token

    def do_account(self, words):
        """account FILE NAME [namespace=N] [audience=A] [expired]"""
        options = dict(word.split("=", 1) for word in words[2:] if "=" in word)
        namespace = options.get("namespace", "harness")
        kubernetes = self.session.kubernetes
        kubernetes.create_service_account(namespace, words[1])
        if "expired" in words:
            token = kubernetes.expired_token(namespace, words[1])
        else:
            audiences = [options["audience"]] if "audience" in options else None
            token = kubernetes.issue_token(namespace, words[1], audiences)
        path = self.work / words[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(token)
        self.inputs[path] = path.read_bytes()
        self.learn(f"the service account token of {words[1]}", token)

    def do_wrap(self, words):
        """wrap NAME: the variable NAME is a response-wrapped secret-id"""
        token = servers.new_secret_id(self._need_vault().vault, self.vault.role, wrap_ttl="60s")
        self.variables[words[0]] = token
        self.learn("the wrapping token", token)

    def do_env(self, words):
        """env NAME=VALUE ... | env -NAME ..."""
        for word in words:
            if word.startswith("-"):
                self.environment.pop(word[1:], None)
            else:
                name, value = word.split("=", 1)
                self.environment[name] = value

    def do_proxy(self, words):
        """proxy [METHOD /PATTERN delay=S|status=N ...] ..."""
        proxy = loopback.Proxy(self._need_vault().http_address(), loopback.parse_rules(words))
        self.proxies.append(proxy)
        self.variables["PROXY_ADDR"] = proxy.address

    def do_listener(self, words):
        """listener silent|garbage"""
        listener = loopback.Listener(words[0])
        self.proxies.append(listener)
        self.variables["LISTENER_ADDR"] = listener.address

    def do_tmpfs(self, words):
        """tmpfs FOLDER SIZE"""
        folder = self._own_mounts(words[0])
        self._mount("-t", "tmpfs", "-o", f"size={words[1]},mode=0755", "tmpfs", folder)

    def do_readonly(self, words):
        """readonly FOLDER"""
        folder = self._own_mounts(words[0])
        self._mount("--bind", folder, folder)
        self._mount("-o", "remount,bind,ro", folder)

    def _own_mounts(self, folder):
        self._write_files()
        folder = self.work / folder
        folder.mkdir(parents=True, exist_ok=True)
        if self.own_mounts:
            return folder
        # In this process and its children only: the scenario runs in a process of its own.
        libc = ctypes.CDLL(None, use_errno=True)
        new_mounts, new_user, private = (
            0x20000,
            0x10000000,
            0x44000,
        )  # CLONE_NEW*; MS_REC|MS_PRIVATE
        uid, gid = os.geteuid(), os.getegid()
        if libc.unshare(new_mounts | (new_user if uid else 0)):
            raise Failure(f"no mounts of its own: {os.strerror(ctypes.get_errno())} (run as root)")
        if uid:
            pathlib.Path("/proc/self/setgroups").write_text("deny")
            pathlib.Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
            pathlib.Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
        if libc.mount(b"none", b"/", None, private, None):
            raise Failure(f"no mounts of its own: {os.strerror(ctypes.get_errno())}")
        self.own_mounts = True
        return folder

    @staticmethod
    def _mount(*arguments):
        done = subprocess.run(
            ["mount", *map(str, arguments)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise Failure(f"mount failed: {done.stderr.strip()}")

    def _helm_wrapper(self):
        """A folder with a `helm` that writes down how it was called and becomes the real one."""
        folder = self.private / "bin"
        folder.mkdir()
        wrapper = folder / "helm"
        wrapper.write_text(
            "#!/bin/sh\n"
            f'printf "%s\\0" "$@" > "{self.calls}/$$.arguments"\n'
            f'cat /proc/$$/environ > "{self.calls}/$$.environment"\n'
            f'exec "{self.programs.helm}" "$@"\n'
        )
        wrapper.chmod(0o755)
        return folder

    # Background

    def do_signal(self, words):
        """signal NAME SIGNAL [SECONDS]"""
        job = self._job(words[0])
        if len(words) > 2:
            time.sleep(float(words[2]))
        job.child.send_signal(getattr(signal, f"SIG{words[1]}"))

    def do_until(self, words):
        """until NAME PATTERN"""
        job, pattern = self._job(words[0]), self._pattern(words[1])
        deadline = time.monotonic() + 30
        while not pattern.search(job.stderr().decode(errors="replace")):
            if job.child.poll() is not None or time.monotonic() > deadline:
                self.last = job
                raise Failure("its standard error never said so")
            time.sleep(0.005)

    def do_wait(self, words):
        """wait NAME [STATUS]"""
        wanted = {int(number) for number in (words[1] if len(words) > 1 else "0").split("|")}
        self._finish(self._job(words[0]), wanted)

    def _job(self, name):
        if name not in self.jobs:
            raise Failure(f"nothing was started as &{name}")
        return self.jobs[name]

    # What must not be seen

    def _search_for_secrets(self):
        if self.vault:
            for where, value in self.vault.values():
                self.learn(f"the value of {where}", value)
        places = list(self.outputs)
        places += [
            (f"a helm's {path.suffix[1:]} ({path.name})", path.read_bytes())
            for path in sorted(self.calls.iterdir())
        ]
        for path in sorted(self.work.rglob("*")):
            if path.is_relative_to(self.work / "out") or not path.is_file():
                continue
            data = path.read_bytes()
            if self.inputs.get(path) != data:
                places.append((f"the file {path.relative_to(self.work)}", data))
        found = [
            f"{what} shows {leak}" for what, data in places for leak in leaks.find(data, self.known)
        ]
        if found:
            raise Failure("secrets are shown:\n  " + "\n  ".join(found))
