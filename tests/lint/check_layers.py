#!/usr/bin/env python3
"""The layers hold: includes point down only, and heavy or foreign headers stay where they belong.

Usage: check_layers.py ROOT
"""
import pathlib
import re
import sys

# Which layers of the library a layer may include, beside itself.
BELOW = {
    "base": set(),
    "model": {"base"},
    "api": {"base", "model"},
    "net": {"base", "model", "api"},
    "auth": {"base", "model", "api", "net"},
    "client": {"base", "model", "api", "net", "auth"},
    "config": {"base", "model"},
}

# Headers that only some places may include: (pattern, what it is, allowed path prefixes).
LIBRARY = "libs/vaultcore/"
CONFINED = [
    (r"yaml-cpp/", "yaml-cpp", [LIBRARY + "src/config/yaml.cc"]),
    (r"CLI/", "CLI11", ["apps/generator/cli.cc"]),
    (r"boost/json", "Boost.JSON", [LIBRARY + "src/api/"]),
    (r"boost/beast", "Boost.Beast", [LIBRARY + "src/net/"]),
    (r"openssl/ssl\.h", "TLS", [LIBRARY + "src/net/"]),
    (r"nghttp2/", "nghttp2", [LIBRARY + "src/net/"]),
    (r"boost/asio", "Asio",
     [LIBRARY + p for p in ("src/net/", "src/auth/", "src/client/", "include/vaultcore/net/",
                            "include/vaultcore/auth/", "include/vaultcore/client/")]),
    (r"(iostream|fstream|regex)$", "a stream or regex header", []),
]

# What a layer of pure functions must not call: the clock, the environment, files, the terminal.
IMPURE = re.compile(r"\b(getenv|secure_getenv|std::exit|_exit|abort|fopen|std::cout|std::cerr|printf|puts|"
                    r"steady_clock::now|system_clock::now|time\(nullptr\))\s*\(?")
PURE_LAYERS = {"api", "model", "config"}
NEVER_IN_LIBRARY = re.compile(r"\b(getenv|secure_getenv|std::exit|std::cout|std::cerr|std::printf|std::puts)\b")

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')


def layer_of(path):
    """The library layer that a file of the library belongs to."""
    parts = path.split("/")
    return parts[4] if "include" in parts[:4] else parts[3]


def included_layer(header):
    for prefix in ("vaultcore/",):
        if header.startswith(prefix):
            return header[len(prefix):].split("/")[0]
    head = header.split("/")[0]
    return head if head in BELOW else None


def code_of(line):
    return line.split("//")[0]


def check_file(root, path):
    problems = []
    text = (root / path).read_text(encoding="utf-8")
    in_library = path.startswith(LIBRARY)
    layer = layer_of(path) if in_library else None
    if in_library and layer not in BELOW:
        problems.append(f"{path}: unknown layer {layer}")
        return problems
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{path}:{number}"
        match = INCLUDE.match(line)
        if match:
            header = match.group(1)
            if in_library:
                target = included_layer(header)
                if target and target != layer and target not in BELOW[layer]:
                    problems.append(f"{where}: {layer} must not include {target} ({header})")
                if header.startswith(("apps/", "common/", "generator/", "loader/")):
                    problems.append(f"{where}: the library must not include an app ({header})")
            for pattern, what, allowed in CONFINED:
                if re.match(pattern, header) and not any(path.startswith(p) for p in allowed):
                    problems.append(f"{where}: {what} does not belong here ({header})")
            continue
        if in_library and NEVER_IN_LIBRARY.search(code_of(line)):
            problems.append(f"{where}: the library never prints, exits or reads the environment")
        elif in_library and layer in PURE_LAYERS and IMPURE.search(code_of(line)):
            problems.append(f"{where}: {layer} is pure: no clock, files, environment or terminal")
    return problems


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    files = [str(p.relative_to(root)) for top in ("libs", "apps")
             for p in sorted((root / top).rglob("*")) if p.suffix in (".h", ".cc")]
    problems = [problem for path in files for problem in check_file(root, path)]
    for problem in problems:
        print(problem)
    print(f"{len(files)} files, {len(problems)} problems")
    sys.exit(1 if problems or not files else 0)


if __name__ == "__main__":
    main()
