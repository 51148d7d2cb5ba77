"""Scenario files: description, directives, embedded files."""

import dataclasses
import re
import shlex


class Failure(Exception):
    """A scenario did not go as it says; the text is for the person who reads the test's output."""


@dataclasses.dataclass
class Step:
    """One directive; `body` for the steps of a `for`."""

    line: int
    text: str
    words: list
    body: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Scenario:
    """One parsed file."""

    path: object
    name: str
    description: list
    steps: list
    files: dict


FILE_LINE = re.compile(r"-- (\S+) --")
VARIABLE = re.compile(r"\$\$\{|\$\{([^}]*)\}")


def expand(text, variables, escape=lambda value: value):
    """TEXT with ${NAME} replaced, ESCAPE applied to the values; `$${` becomes `${`."""

    def value(match):
        name = match.group(1)
        if name is None:
            return "${"
        if name in variables:
            return escape(variables[name])
        if not name.startswith("SECRET_"):
            raise Failure(f"there is no variable ${{{name}}} here ($${{ stands for ${{)")
        return escape(canary(name))

    return VARIABLE.sub(value, text)


def canary(name):
    """The secret that ${SECRET_name} stands for."""
    return "vc-canary-" + name.removeprefix("SECRET_")


def parse(path):
    """Reads PATH; Failure with file:line when it is malformed."""
    description, files = [], {}
    root = Step(0, "", [])
    stack = [root]
    file_lines = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(keepends=True), 1):
        match = FILE_LINE.fullmatch(line.rstrip("\n"))
        if match:
            if match.group(1) in files:
                raise Failure(f"{path}:{number}: the file {match.group(1)} stands here twice")
            file_lines = files[match.group(1)] = []
            continue
        if file_lines is not None:
            file_lines.append(line)
            continue
        text = line.strip()
        if text.startswith("#"):
            if not root.body:
                description.append(text.lstrip("# "))
            continue
        if not text:
            continue
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise Failure(f"{path}:{number}: {error}") from None
        step = Step(number, text, words)
        if words[0] == "end":
            if len(stack) == 1:
                raise Failure(f"{path}:{number}: end without for")
            stack.pop()
            continue
        stack[-1].body.append(step)
        if words[0] == "for":
            if len(words) < 4 or words[2] != "in":
                raise Failure(f"{path}:{number}: for VARIABLE in WORD ...")
            stack.append(step)
    if len(stack) > 1:
        raise Failure(f"{path}:{stack[-1].line}: for without end")
    if not description:
        raise Failure(f"{path}:1: begin with a line that says what this is about (# ...)")
    files = {name: "".join(lines) for name, lines in files.items()}
    return Scenario(path, path.stem, description, root.body, files)
