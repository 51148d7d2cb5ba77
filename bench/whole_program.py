#!/usr/bin/env python3
"""Whole programs against the real Vault, side by side with curl and the vault command line, in one run.

  whole_program.py fetch  [--rounds N] [--delay-ms MS]   login and 30 reads: the loader, and one curl process
  whole_program.py upload [--rounds N] [--delay-ms MS]   300 new entries: the generator, one curl process, the vault CLI in a loop

The competitors take turns, so that a drifting machine hurts all alike. Printed are medians and the ratio of each round to curl's of the
same round. --delay-ms puts a proxy in between that holds every packet of bytes back for half of that in each direction; TCP's own
handshake is not delayed by it, for anybody.

Programs: VAULT_SECRET_LOADER, VAULT_SECRET_GENERATOR, else those of the bench preset.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools" / "servers"))
sys.path.insert(0, str(ROOT / "bench"))

# pylint: disable=wrong-import-position
from delay_proxy import DelayProxy
import servers

READS = 30
ENTRIES = 300


def program(variable, path):
    found = pathlib.Path(os.environ.get(variable, ROOT / path))
    if not found.exists():
        sys.exit(f"no {found}: build it first (cmake --preset bench && cmake --build --preset bench)")
    return str(found)


def run(argv, environment=None):
    """(wall seconds, CPU seconds, peak KiB) of one process; its output is shown if it fails."""
    measure = program("VAULTCORE_MEASURE", "build/bench/bench/measure")
    with tempfile.NamedTemporaryFile("r") as figures, tempfile.TemporaryFile() as output:
        done = subprocess.run([measure, figures.name, *argv], env=environment, stdin=subprocess.DEVNULL,
                              stdout=output, stderr=output, check=False)
        if done.returncode != 0:
            output.seek(0)
            sys.exit(f"{argv[0]} failed with {done.returncode}:\n{output.read().decode()}")
        wall, cpu, peak = figures.read().split()
    return float(wall), float(cpu), int(peak)


def compare(competitors, baseline, rounds):
    """Runs each competitor once a round, after one warm-up, and prints the table."""
    figures = {name: [] for name in competitors}
    for number in range(rounds + 1):
        for name, once in competitors.items():
            result = once(number)
            if number > 0:
                figures[name].append(result)
    print(f"{'':28}{'wall ms':>9}{'min':>8}{'max':>8}{'cpu ms':>9}{'peak MiB':>10}  ratio to {baseline}")
    for name, results in figures.items():
        walls = [wall * 1000 for wall, _, _ in results]
        ratio = statistics.median(mine[0] / other[0] for mine, other in zip(results, figures[baseline]))
        print(f"{name:28}{statistics.median(walls):9.1f}{min(walls):8.1f}{max(walls):8.1f}"
              f"{statistics.median(cpu for _, cpu, _ in results) * 1000:9.1f}"
              f"{statistics.median(peak for _, _, peak in results) / 1024:10.1f}{ratio:10.3f}")


def start(folder, delay_ms):
    vault = servers.start_vault(folder / "vault")
    guide = servers.configure_guide(vault)
    address = vault.address
    proxy = None
    if delay_ms:
        proxy = DelayProxy(vault.address, delay_ms / 2000)
        address = proxy.address
    return vault, guide, address, proxy


def curl_config(folder, name, ca, requests):
    """A file for curl -K: all requests in one process, over one connection where curl can."""
    lines = []
    for number, (method, url, headers, body) in enumerate(requests):
        if number:
            lines.append("next")
        lines += [f'url = "{url}"', f'request = "{method}"', f'cacert = "{ca}"', "silent", "show-error", "fail",
                  'output = "/dev/null"']
        lines += [f'header = "{header}"' for header in headers]
        if body is not None:
            data = folder / f"{name}-{number}.json"
            data.write_text(json.dumps(body))
            lines.append(f'data = "@{data}"')
    path = folder / f"{name}.curl"
    path.write_text("\n".join(lines) + "\n")
    return path


def fetch(folder, options):
    loader = program("VAULT_SECRET_LOADER", "build/bench/apps/loader/vault-secret-loader")
    vault, guide, address, proxy = start(folder, options.delay_ms)
    paths = ["bench/env-secrets", "bench/file-secrets"] + [f"database{i}" for i in range(READS - 2)]
    for path in paths:
        key = "server.key" if path.endswith("file-secrets") else "KEY"
        content = {key: "x" * 600, "username": "user", "password": "p" * 32}
        if path.endswith("-secrets"):
            content = {f"{key}{i}" if key == "KEY" else f"{i}{key}": "x" * 60 for i in range(10)}
        vault.api("POST", f"secret/data/{guide.base_path}/{path}", {"data": content})
    databases = "".join(
        f'  - {{type: "database{i}", useDatabaseSecretsEngine: "false", userEnvSecrets: ["USER{i}"],'
        f' passwordEnvSecrets: ["PASSWORD{i}"]}}\n' for i in range(READS - 2))
    config = folder / "config.yaml"
    config.write_text(f"""provider: "vault"
vault:
  address: "{address}"
  engine: "secret"
  basePath: "{guide.base_path}"
  caCert: "{vault.ca_cert}"
  auth: {{method: "approle", roleId: "{guide.role_id}", secretId: "{guide.secret_id}"}}
serviceName: "bench"
secrets:
  envSecrets: {{enabled: "true", outputFile: "{folder}/out/.env"}}
  fileSecrets: {{enabled: "true", outputPath: "{folder}/out/files"}}
databases:
{databases}""")
    login = {"role_id": guide.role_id, "secret_id": guide.secret_id}

    def curl_requests():
        # All that the loader sends. curl cannot take the token out of its own login, so it gets one that was made before.
        token = vault.api("POST", "auth/approle/login", login)["auth"]["client_token"]
        header = [f"X-Vault-Token: {token}"]
        requests = [("POST", f"{address}/v1/auth/approle/login", [], login),
                    ("GET", f"{address}/v1/sys/internal/ui/mounts/secret", header, None)]
        requests += [("GET", f"{address}/v1/secret/data/{guide.base_path}/{path}", header, None) for path in paths]
        requests.append(("PUT", f"{address}/v1/auth/token/revoke-self", header, None))
        return curl_config(folder, "fetch", vault.ca_cert, requests)

    def load(_):
        shutil.rmtree(folder / "out", ignore_errors=True)
        (folder / "out").mkdir()
        return run([loader, "load", "--config", str(config)], {"PATH": os.environ["PATH"]})

    def curl(_):
        return run(["curl", "-K", str(curl_requests())])

    print(f"login and {READS} reads, {options.delay_ms} ms added round trip, {options.rounds} rounds")
    compare({"vault-secret-loader": load, "curl, one process": curl}, "curl, one process", options.rounds)
    del proxy


def upload(folder, options):
    generator = program("VAULT_SECRET_GENERATOR", "build/bench/apps/generator/vaultSecretGenerator")
    vault, guide, address, proxy = start(folder, options.delay_ms)
    chart = folder / "chart"
    chart.mkdir()
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: bench\nversion: 1.0.0\n")
    (chart / "values.yaml").write_text("{}\n")
    values = folder / "values.yaml"
    values.write_text(f"""global:
  externalSecretsLoader:
    enabled: true
    provider: vault
    vault: {{address: "{address}", engine: secret, basePath: {guide.base_path}}}
""")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "VAULT_TOKEN": guide.generator_token,
                   "VAULT_CACERT": vault.ca_cert}

    def content(i):
        return {f"KEY{j}": f"value-{i}-{j}-" + "x" * 40 for j in range(8)}

    def names(who, number):
        return [f"{guide.base_path}/{who}-{number}-{i}/env-secrets" for i in range(ENTRIES)]

    def generate(number):
        backup = folder / "input.json"
        backup.write_text(json.dumps({f"secret/{path}": content(i)
                                      for i, path in enumerate(names("generator", number))}))
        return run([generator, "generate", "--quiet", "--input-json", str(backup), "bench", str(chart), "-f",
                    str(values)], environment)

    def curl(number):
        header = [f"X-Vault-Token: {guide.generator_token}", "X-Vault-Request: true"]
        requests = [("POST", f"{address}/v1/secret/data/{path}", header,
                     {"data": content(i), "options": {"cas": 0}})
                    for i, path in enumerate(names("curl", number))]
        return run(["curl", "-K", str(curl_config(folder, f"upload-{number}", vault.ca_cert, requests))])

    def vault_cli(number):
        vault_program = servers.processes.find_program("vault", "bao")
        script = "\n".join(
            f"{vault_program} kv put -cas=0 -mount=secret {path} "
            + " ".join(f"{k}={v}" for k, v in content(i).items()) + " >/dev/null"
            for i, path in enumerate(names("cli", number)))
        file = folder / "upload.sh"
        file.write_text("set -e\n" + script + "\n")
        return run(["sh", str(file)], environment | {"VAULT_ADDR": address})

    competitors = {"vaultSecretGenerator": generate, "curl, one process": curl}
    if not options.without_cli:
        competitors["vault kv put, a loop"] = vault_cli
    print(f"{ENTRIES} new entries, {options.delay_ms} ms added round trip, {options.rounds} rounds")
    compare(competitors, "curl, one process", options.rounds)
    del proxy


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["fetch", "upload"])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--delay-ms", type=float, default=0)
    parser.add_argument("--without-cli", action="store_true", help="upload: leave the vault command line out")
    options = parser.parse_args()
    # In memory, where there is a file system for it: the disk's flushes would drown what is compared.
    shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=shared) as folder:
        {"fetch": fetch, "upload": upload}[options.what](pathlib.Path(folder), options)


if __name__ == "__main__":
    main()
