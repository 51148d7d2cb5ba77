#!/usr/bin/env python3
"""Guards the forms of co_await that g++ 12 miscompiles silently (double frees at run time).

In a statement with co_await there must be no braced temporary of a class, no temporary lambda that captures by value, and no `?:`.
Name a local first and std::move it. The check is lexical: it looks at whole statements, comments and strings removed.

Usage: check_coawait.py ROOT | check_coawait.py --self-test
"""
import pathlib
import re
import sys

RULES = [
    (re.compile(r"\b[A-Z]\w*(?:::\w+)*\s*\{"), "a braced temporary"),
    (re.compile(r"[(,]\s*\{"), "a braced temporary"),
    (re.compile(r"\[(?:=|\w+|\w+\s*=[^\]]*|&?\w+(?:\s*,\s*\w+)+)\]\s*\("), "a lambda that captures by value"),
    (re.compile(r"\?"), "a conditional operator"),
]


def strip(text):
    text = re.sub(r'R"(\w*)\(.*?\)\1"', '""', text, flags=re.S)
    text = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)
    text = re.sub(r"'(?:\\.|[^'\\\n])'", "''", text)
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    return re.sub(r"//[^\n]*", "", text)


def statements(text):
    """Yields (line, statement): text between ';' or braces that open or close a block."""
    start, depth = 0, 0
    for i, char in enumerate(text):
        if char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
        elif char == ";" and depth <= 0 or char == "}" and depth <= 0:
            yield text.count("\n", 0, start) + 1, text[start:i]
            start, depth = i + 1, 0
        elif char == "{" and depth <= 0 and re.search(r"(\)|\belse|\bdo|\btry|\bconst|noexcept|>)\s*$", text[start:i]):
            # A block follows: `if (...) {`, a function body, a lambda body.
            yield text.count("\n", 0, start) + 1, text[start:i]
            start, depth = i + 1, 0


def check_text(text):
    problems = []
    for line, statement in statements(strip(text)):
        if "co_await" not in statement:
            continue
        line += len(statement) - len(statement.lstrip()) and statement[:len(statement) - len(statement.lstrip())].count("\n")
        for pattern, what in RULES:
            if pattern.search(statement):
                problems.append((line, what))
                break
    return problems


BAD = [
    "co_await f(Opts{x, y});",
    "co_await c.Send({.a = x, .b = y});",
    "auto r = co_await g(a, {1, 2});",
    "co_await f(b ? str : other);",
    "co_await run([t](int i) { return i; });",
    "auto r = co_await co_spawn(ex, [t = std::move(t)]() { return t; }, use_awaitable);",
]
GOOD = [
    "Opts opts{x, y}; co_await f(std::move(opts));",
    "if (co_await f(x)) { g(Opts{1}); }",
    "auto r = co_await f(std::move(local));",
    "while (co_await next()) { h(b ? 1 : 2); }",
    "co_await post(executor, use_awaitable);",
    'co_await f("what? {braces}");',
]


def self_test():
    failures = [f"not found: {bad}" for bad in BAD if not check_text(bad)]
    failures += [f"wrongly found: {good}" for good in GOOD if check_text(good)]
    for failure in failures:
        print(failure)
    print(f"{len(BAD) + len(GOOD)} snippets, {len(failures)} failures")
    return 1 if failures else 0


def main():
    if sys.argv[1] == "--self-test":
        sys.exit(self_test())
    root = pathlib.Path(sys.argv[1]).resolve()
    files = [p for top in ("libs", "apps", "examples") for p in sorted((root / top).rglob("*"))
             if p.suffix in (".h", ".cc")]
    count = 0
    for path in files:
        for line, what in check_text(path.read_text(encoding="utf-8")):
            print(f"{path.relative_to(root)}:{line}: {what} in a statement with co_await")
            count += 1
    print(f"{len(files)} files, {count} problems")
    sys.exit(1 if count or not files else 0)


if __name__ == "__main__":
    main()
