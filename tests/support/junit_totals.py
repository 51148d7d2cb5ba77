#!/usr/bin/env python3
"""Adds up JUnit files: the failed tests with the end of their output, then "N passed, N failed".

usage: junit_totals.py [--only-total] FILE...

Skipped tests are told in that line only when there are any. Exit status: 0 when all passed and
there was at least one, else 1. A file that is missing or broken counts as one failure.
"""

import pathlib
import sys
import xml.etree.ElementTree

LINES_SHOWN = 40


def outcomes(path):
    """(name, "passed", "failed" or "skipped", output) of each test in the JUnit file PATH."""
    try:
        root = xml.etree.ElementTree.parse(path).getroot()
    except (OSError, xml.etree.ElementTree.ParseError):
        return [(f"{path} (no results)", "failed", "")]
    found = []
    for case in root.iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            outcome = "failed"
        elif case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
            outcome = "skipped"
        else:
            outcome = "passed"
        name = f"{pathlib.Path(path).stem}: {case.get('name')}"
        found.append((name, outcome, case.findtext("system-out") or ""))
    return found


def main(arguments):
    """The command line; returns the exit status."""
    only_total = arguments[:1] == ["--only-total"]
    found = [outcome for path in arguments[only_total:] for outcome in outcomes(path)]
    counts = {
        kind: sum(1 for _, outcome, _ in found if outcome == kind)
        for kind in ("passed", "failed", "skipped")
    }
    if not only_total:
        for name, outcome, output in found:
            if outcome != "passed":
                print(f"{outcome}: {name}")
                for line in output.splitlines()[-LINES_SHOWN:]:
                    print(f"    {line}")
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    print(f"{counts['passed']} passed, {counts['failed']} failed{skipped}")
    return 0 if counts["passed"] and not counts["failed"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
