"""What the demo shows: headings, commands with their output, notes; and a copy of it all."""

import os
import shlex
import subprocess
import sys


class DemoError(Exception):
    """The demo cannot go on; the text says why."""


class Screen:
    """Writes to standard output and remembers what was written, in `shown`."""

    def __init__(self):
        self.shown = ""
        self._colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def heading(self, text):
        """The title of a step."""
        self._write(f"\n{self._style('1;36', f'== {text}')}\n")

    def note(self, text):
        """A line of the demo's own."""
        self._write(f"{text}\n")

    def good(self, text):
        """A line that tells of something checked."""
        self._write(f"{self._style('32', 'ok')} {text}\n")

    def lines(self, text, indent="  "):
        """Output of something, indented."""
        for line in text.splitlines():
            self._write(f"{indent}{line}\n")

    def command(self, words, comment=""):
        """A command line as the operator would type it."""
        text = words if isinstance(words, str) else shlex.join(map(str, words))
        comment = self._style("2", f"  # {comment}") if comment else ""
        self._write(f"{self._style('1', f'$ {text}')}{comment}\n")

    def run(self, words, environment, shown=None, stdin=None):
        """Shows and runs a command, its output line by line as it comes; DemoError when it fails.

        SHOWN is what stands for the command line where the real one would be hard to read.
        """
        self.command(shown or words)
        with subprocess.Popen(
            list(map(str, words)),
            env=environment,
            text=True,
            errors="replace",
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as child:
            if stdin is not None:
                child.stdin.write(stdin)
                child.stdin.close()
            first = len(self.shown)
            for line in child.stdout:
                self._write(f"  {line}")
        if child.returncode != 0:
            raise DemoError(f"{os.path.basename(words[0])} ended with exit code {child.returncode}")
        return self.shown[first:]

    def _style(self, code, text):
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text

    def _write(self, text):
        self.shown += text
        sys.stdout.write(text)
        sys.stdout.flush()
