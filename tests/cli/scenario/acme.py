"""Checks of the example chart against examples/acme-platform-values/expected.json."""

import json
import pathlib
import re
import subprocess

import yaml

from .parse import Failure
from .shells import compare_sourced

EXAMPLES = pathlib.Path(__file__).resolve().parents[3] / "examples"
VALUES = EXAMPLES / "acme-platform-values"
FORMS = {
    "alphanumeric": r"[A-Za-z0-9]{22,}",
    "upper": r"[A-Z]{28,}",
    "uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "hex-16": r"[0-9a-f]{32}",
    "hex-32": r"[0-9a-f]{64}",
    "base64-32": r"[A-Za-z0-9+/]{43}=",
}
KINDS = ("env-secrets", "file-secrets")


def expected_services():
    """{service: expectation} of expected.json."""
    expected = json.loads((VALUES / "expected.json").read_text())
    return {name: entry for name, entry in expected.items() if isinstance(entry, dict)}


def _expected_keys():
    """(service, kind, key, expectation, path without the engine) for each key."""
    for service, entry in expected_services().items():
        for kind in KINDS:
            for key, what in entry[kind].items():
                yield service, kind, key, what, entry["path"].split("/", 1)[1]


def check_acme_vault(run, engine):
    """What is in Vault's ENGINE is what expected.json says: keys, forms, equality, what embeds what."""
    entries = run.vault.entries()
    wrong, values, by_source, wanted = [], {}, {}, {}
    for service, kind, key, what, path in _expected_keys():
        entry = entries.get(f"{engine}/{path}/{kind}")
        value = entry.data.get(key) if entry else None
        place = f"{service}/{kind}/{key}"
        if what["class"] == "external":
            if value is not None:
                wrong.append(f"{place} cannot be made by anybody, and is there")
            continue
        wanted.setdefault(f"{engine}/{path}/{kind}", set()).add(key)
        if value is None:
            wrong.append(f"{place} is missing")
            continue
        values[place] = value
        by_source[what["source"]] = value
        form = FORMS.get(what.get("form"))
        if form and not re.fullmatch(form, value):
            wrong.append(f"{place} does not look like {what['form']} ({len(value)} characters)")
    for path, keys in wanted.items():
        if path in entries and set(entries[path].data) != keys:
            wrong.append(
                f"{path} holds {sorted(set(entries[path].data) ^ keys)}, too or not at all"
            )
    for _, kind, key, what, path in _expected_keys():
        if "embeds" in what and by_source[what["embeds"]] not in by_source.get(what["source"], ""):
            wrong.append(f"{path}/{kind}/{key} does not hold the value of {what['embeds']}")
    expected = json.loads((VALUES / "expected.json").read_text())
    for group in expected["equal"]:
        if len({values[place] for place in group if place in values}) > 1:
            wrong.append(f"not equal: {', '.join(group)}")
    wrong += _certificates(entries, engine)
    if wrong:
        raise Failure("Vault is not as expected.json says:\n  " + "\n  ".join(wrong))


def _certificates(entries, engine):
    """Certificates, their keys and their CA belong together."""
    for path, certificate, key, authority in (
        ("harness/gateway/file-secrets", "server.crt", "server.key", "ca.pem"),
        ("harness/finance/billing-api/file-secrets", "tls.crt", "tls.key", "ca.crt"),
    ):
        data = entries[f"{engine}/{path}"].data
        if _openssl(["x509", "-noout", "-pubkey"], data[certificate]) != _openssl(
            ["pkey", "-pubout"], data[key]
        ):
            yield f"{path}: {key} is not the key of {certificate}"
        issuer = _openssl(["x509", "-noout", "-issuer"], data[certificate]).partition(b"=")[2]
        subject = _openssl(["x509", "-noout", "-subject"], data[authority]).partition(b"=")[2]
        if issuer != subject:
            yield f"{path}: {certificate} is not issued by {authority}"


def _openssl(arguments, text):
    done = subprocess.run(
        ["openssl", *arguments], input=text.encode(), capture_output=True, check=False
    )
    if done.returncode:
        raise Failure(f"openssl {arguments[0]}: {done.stderr.decode().strip()}")
    return done.stdout


def check_acme_report(run, engine="secret"):
    """The last program's report (--format json) says of every key what expected.json says."""
    report = json.loads(run.last.stdout())
    fields = ("class", "source", "reason", "optional")
    found = {}
    for key in report["keys"]:
        if key["kind"] != "database":
            place = (key["service"], key["entry"], key["key"])
            found[place] = {name: key[name] for name in fields if key.get(name)}
            state = "by-hand" if key["class"] == "external" else "written"
            if key["state"] != state:
                found[place]["state"] = key["state"]
    wanted = {}
    for service, kind, key, what, path in _expected_keys():
        wanted[service, f"{engine}/{path}/{kind}", key] = {
            name: what[name] for name in fields if name in what
        }
    expected = json.loads((VALUES / "expected.json").read_text())
    for what in expected["kubernetes"]:
        kind = "env" if "env" in what else "file"
        wanted["kubernetes", what["service"], kind, what[kind]] = what["source"]
    for what in report["kubernetes"]:
        found["kubernetes", what["service"], what["kind"], what["name"]] = what["source"]
    wrong = [
        f"{place}: expected {wanted.get(place)}, reported {found.get(place)}"
        for place in sorted(wanted.keys() | found.keys())
        if wanted.get(place) != found.get(place)
    ]
    if wrong:
        raise Failure("the report is not as expected.json says:\n  " + "\n  ".join(wrong))


def check_by_hand_commands(run):
    """Each command that the last report (--format json) gives for a key to be added by hand adds that
    key, takes its value from standard input, and keeps what was there.
    """
    report = json.loads(run.last.stdout())
    program, environment = run.vault.command_line()
    environment["PATH"] = f"{pathlib.Path(program).parent}:{environment['PATH']}"
    before = run.vault.entries()
    wanted = {}
    for key in report["keys"]:
        if key["state"] != "by-hand" or key.get("reason") == "kubernetes":
            continue
        value = f"vc-canary-by-hand-{len(wanted)}"
        wanted[key["entry"], key["key"]] = value
        done = subprocess.run(
            ["sh", "-c", key["command"]],
            input=value,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Failure(f"{key['command']}: {done.stderr.strip()}")
    if not wanted:
        raise Failure("the report gives no such command")
    for path, entry in before.items():
        for key, value in entry.data.items():
            wanted.setdefault((path, key), value)
    after = run.vault.entries()
    for (path, key), value in wanted.items():
        if path not in after or after[path].data.get(key) != value:
            raise Failure(f"{path}: {key} is not what it has to be")


def check_rendered_loaders(run, *values):
    """Writes SERVICE.yaml for each loader configuration that the example chart renders; only where
    this machine is no pod is something else in it: the CA, the login, the output's places.
    """
    command = [run.programs.helm, "template", "demo", str(EXAMPLES / "acme-platform")]
    for path in (VALUES / "values.yaml", VALUES / "override.yaml", *map(run.work.joinpath, values)):
        command += ["-f", str(path)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for manifest in yaml.safe_load_all(text):
        config = ((manifest or {}).get("data") or {}).get("secrets-loader-config.yaml")
        if not config:
            continue
        config = yaml.safe_load(config)
        service = config["serviceName"]
        config["vault"]["caCert"] = run.variables["CACERT"]
        config["vault"]["auth"] = {"method": "token", "token": ""}
        config["secrets"]["envSecrets"]["outputFile"] = f"out/{service}/.env"
        config["secrets"]["fileSecrets"]["outputPath"] = f"out/{service}/files"
        path = run.work / f"{service}.yaml"
        path.write_text(json.dumps(config, indent=2))
        run.inputs[path] = path.read_bytes()


def check_loaded(run, service):
    """SERVICE's env file, sourced, and its files are what Vault holds for it, its databases included."""
    config = json.loads((run.work / f"{service}.yaml").read_text())
    entries = run.vault.entries()
    engine, base = config["vault"]["engine"], config["vault"]["basePath"]
    wanted, files = {}, {}
    for kind, into in zip(KINDS, (wanted, files)):
        entry = entries.get(f"{engine}/{base}/{service}/{kind}")
        into.update(entry.data if entry else {})
    for database in config["databases"]:
        path = database["overridePath"] or f"{base}/{database['type']}"
        data = entries[f"{database['engine'] or engine}/{path}"].data
        for key, names in (("username", "userEnvSecrets"), ("password", "passwordEnvSecrets")):
            wanted.update({name: data[key] for name in database[names]})
    if not wanted and not files:
        raise Failure("Vault holds nothing for it")
    folder = run.work / "out" / service
    compare_sourced(folder / ".env", wanted, ["dash"])
    found = {
        str(path.relative_to(folder / "files")): path.read_text()
        for path in sorted((folder / "files").rglob("*"))
        if path.is_file()
        and not any(p.startswith(".") for p in path.relative_to(folder / "files").parts)
    }
    if found != files:
        raise Failure(f"the files are {sorted(found)}, in Vault {sorted(files)}")
