"""The directives that look at what a program has said and done; run.py lists them."""

import os
import stat

from . import checks, loopback
from .parse import Failure, expand


class Looking:
    """A part of Interpreter, whose attributes it uses."""

    def do_stdout(self, words):
        """stdout [!] PATTERN | is FILE | empty | lines N"""
        self._look(words, self._last().stdout(), "standard output")

    def do_stderr(self, words):
        """stderr [!] PATTERN | is FILE | empty | lines N"""
        self._look(words, self._last().stderr(), "standard error")

    def do_grep(self, words):
        """grep [!] PATTERN FILE"""
        path = self.work / self._expand(words[-1])
        if not path.exists():
            raise Failure(f"there is no file {path}")
        self._look(words[:-1], path.read_bytes(), words[-1])

    def _last(self):
        if not self.last:
            raise Failure("no program has run yet")
        return self.last

    def _look(self, words, data, what):
        text = data.decode(errors="replace")
        if words[0] == "is":
            wanted = expand(self.scenario.files[words[1]], self.variables)
            if text != wanted:
                raise Failure(f"{what} is not what {words[1]} says:\n{wanted}")
        elif words[0] == "empty":
            if text:
                raise Failure(f"{what} is not empty")
        elif words[0] == "lines":
            if text.count("\n") != int(words[1]):
                raise Failure(f"{what} has {text.count(chr(10))} lines, not {words[1]}")
        elif words[0] == "!":
            match = self._pattern(words[1]).search(text)
            if match:
                raise Failure(f"{what} has {match.group(0)!r}")
        elif not self._pattern(words[0]).search(text):
            raise Failure(f"{what} has nothing that matches {words[0]!r}")

    def do_same(self, words):
        """same FILE FILE"""
        first, second = ((self.work / word).read_bytes() for word in words)
        if first != second:
            raise Failure(f"{words[0]} and {words[1]} differ")

    def do_file(self, words):
        """file PATH [mode=0600] [size=N] [owner=UID] [absent]"""
        path = self.work / words[0]
        if "absent" in words:
            if os.path.lexists(path):
                raise Failure(f"{words[0]} is there")
            return
        if not path.is_file():
            raise Failure(f"{words[0]} is no file")
        status = path.stat()
        have = {
            "mode": f"{stat.S_IMODE(status.st_mode):04o}",
            "size": str(status.st_size),
            "owner": str(status.st_uid),
        }
        for word in words[1:]:
            name, value = word.split("=")
            if have[name] != value:
                raise Failure(f"the {name} of {words[0]} is {have[name]}, not {value}")

    def do_folder(self, words):
        """folder PATH [NAME ...]"""
        path = self.work / words[0]
        names = sorted(entry.name for entry in path.iterdir() if not entry.name.startswith("."))
        if names != sorted(words[1:]):
            raise Failure(f"{words[0]} holds {' '.join(names) or 'nothing'}")

    def do_entry(self, words):
        """entry MOUNT/PATH [absent] [version=N] [only=KEYS] [KEY=VALUE] [KEY~PATTERN] [!KEY]"""
        entry = self._need_vault().read_entry(words[0])
        if "absent" in words[1:]:
            if entry is not None:
                raise Failure(f"{words[0]} is there, with {', '.join(entry.data)}")
            return
        if entry is None:
            raise Failure(f"{words[0]} is not there")
        for word in words[1:]:
            wrong = entry.wrong(word)
            if wrong:
                raise Failure(f"{words[0]}: {wrong}")

    def do_requests(self, words):
        """requests METHOD /PATTERN N"""
        seen = [
            request
            for request in self.proxies[-1].requests
            if loopback.matches(words[0], words[1], request)
        ]
        if len(seen) != int(words[2]):
            raise Failure(f"the proxy saw {len(seen)}: {seen}")

    def do_check(self, words):
        """check NAME ARGUMENT ..."""
        self._write_files()
        function = getattr(checks, f"check_{words[0].replace('-', '_')}", None)
        if function is None:
            raise Failure(f"scenario/checks.py has no check_{words[0]}")
        function(self, *words[1:])
