"""What the demo shows: headings, commands with their output, notes; and a copy of it all."""

import codecs
import fcntl
import os
import pty
import shlex
import subprocess
import sys
import termios


class DemoError(Exception):
    """The demo cannot go on; the text says why."""


class Screen:
    """Writes to standard output and remembers what was written, in `shown`."""

    def __init__(self):
        self.shown = ""
        self._terminal = sys.stdout.isatty()
        self._colour = self._terminal and "NO_COLOR" not in os.environ

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

    def run(self, words, environment, shown):
        """Shows the command line SHOWN and runs WORDS; DemoError when it fails.

        On a terminal the command has one too, so that it shows its progress as to an operator.
        """
        self.command(shown)
        reader, writer = self._open_terminal() if self._terminal else os.pipe()
        with subprocess.Popen(
            list(map(str, words)),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=writer,
        ) as child:
            os.close(writer)
            decoder = codecs.getincrementaldecoder("utf-8")("replace")
            while True:
                try:
                    chunk = os.read(reader, 65536)
                except OSError:  # how a terminal says that the other side is closed
                    chunk = b""
                self._write(decoder.decode(chunk).replace("\r\n", "\n"))
                if not chunk:
                    break
            os.close(reader)
        if child.returncode != 0:
            raise DemoError(f"{os.path.basename(words[0])} ended with exit code {child.returncode}")

    @staticmethod
    def _open_terminal():
        reader, writer = pty.openpty()
        size = fcntl.ioctl(sys.stdout, termios.TIOCGWINSZ, b"\0" * 8)
        fcntl.ioctl(writer, termios.TIOCSWINSZ, size)
        return reader, writer

    def _style(self, code, text):
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text

    def _write(self, text):
        self.shown += text
        sys.stdout.write(text)
        sys.stdout.flush()
