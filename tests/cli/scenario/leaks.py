"""Searches for secrets where none may stand."""

import base64
import pathlib
import re

CANARY = b"vc-canary-"


def _base64_cores(text):
    """What any base64 text that encodes TEXT somewhere must hold: one form for each alignment."""
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + text)
        yield encoded[4 if shift else 0 : len(encoded) // 4 * 4 - 4]


PATTERNS = [
    ("a planted canary", re.compile(re.escape(CANARY))),
    ("a canary in base64", re.compile(b"|".join(map(re.escape, _base64_cores(CANARY))))),
    ("a Vault token", re.compile(rb"\bhv[sb]\.[A-Za-z0-9_-]{20,}")),
    ("a service account token", re.compile(rb"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}")),
]


def needles_of(value):
    """The byte strings that would give VALUE away: itself, or its long lines when it has several."""
    if "\n" not in value:
        return [value.encode()] if len(value) >= 12 else []
    return [
        line.encode()
        for line in value.splitlines()
        if len(line) >= 24 and not line.startswith("-----")
    ]


def find(data, known):
    """Descriptions of what DATA (bytes) gives away; KNOWN maps needles to what they are."""
    found = []
    for what, pattern in PATTERNS:
        match = pattern.search(data)
        if match:
            found.append(f"{what} at byte {match.start()}")
    for needle, what in known.items():
        position = data.find(needle)
        if position >= 0:
            found.append(f"{what} at byte {position}")
    return found


def search_logs(folders):
    """Searches all files of FOLDERS; prints what was found and returns the exit code."""
    found = files = 0
    for folder in map(pathlib.Path, folders):
        if not folder.is_dir():
            print(f"{folder}: there is no such folder")
            return 1
        for path in sorted(folder.rglob("*")):
            if not path.is_file():
                continue
            files += 1
            for what in find(path.read_bytes(), {}):
                print(f"{path}: {what}")
                found += 1
    print(f"{files} files searched, {found} secrets found")
    return 1 if found else 0
