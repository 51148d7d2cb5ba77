"""A real Vault (or OpenBao) server on loopback: own data folder, TLS under a private CA, sealed
storage.
"""

import json
import os
import pathlib
import ssl
import subprocess
import urllib.error
import urllib.request

from . import processes
from .certificates import Authority
from .processes import ServerError


class VaultError(ServerError):
    """Vault answered with an error; .status is the HTTP status, .errors Vault's own lines."""

    def __init__(self, method, path, status, errors):
        super().__init__(f"vault: {method} {path}: {status}: {'; '.join(errors) or 'no message'}")
        self.status = status
        self.errors = errors


class Vault:
    """One running server; its plain attributes are all that is needed to find it again.

    address      https://127.0.0.1:PORT
    addresses    further listeners by name: "http"; "expired", "other-host", "other-ca" (TLS whose
                 certificate must be refused); "client-cert" (TLS that demands a client certificate)
    ca_cert      the CA's certificate (a file), which signed all but "other-ca"
    client_cert, client_key   a client certificate of that CA (files)
    root_token, unseal_key    empty when not initialised
    pid, folder, log
    """

    FIELDS = (
        "name",
        "address",
        "addresses",
        "ca_cert",
        "client_cert",
        "client_key",
        "root_token",
        "unseal_key",
        "pid",
        "folder",
        "log",
    )

    def __init__(self, **fields):
        for name in self.FIELDS:
            setattr(self, name, fields[name])
        self._tls = ssl.create_default_context(cafile=self.ca_cert)

    def to_json(self):
        """A dictionary from which Vault(**dictionary) makes the same object in another process."""
        return {name: getattr(self, name) for name in self.FIELDS}

    def api(self, method, path, body=None, token=None, headers=None):
        """One request to /v1/PATH with the root token (or TOKEN; "" for none); its JSON, or {}.

        A status of 400 and more raises VaultError.
        """
        request = urllib.request.Request(
            f"{self.address}/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        token = self.root_token if token is None else token
        if token:
            request.add_header("X-Vault-Token", token)
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self._tls)
        )
        try:
            with opener.open(request, timeout=60) as response:
                text = response.read()
        except urllib.error.HTTPError as error:
            try:
                errors = json.loads(error.read()).get("errors") or []
            except ValueError:
                errors = []
            raise VaultError(method, path, error.code, errors) from None
        return json.loads(text) if text else {}

    def environment(self, token=None):
        """The environment of a program that uses this server as the root token (or TOKEN; "" for
        none).
        """
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("VAULT_", "BAO_"))
        }
        environment.update(VAULT_ADDR=self.address, VAULT_CACERT=self.ca_cert, HOME=self.folder)
        token = self.root_token if token is None else token
        if token:
            environment["VAULT_TOKEN"] = token
        return environment

    def cli(self, args, token=None, stdin=None):
        """Runs `vault ARGS` and returns what it printed; ServerError with its message when it
        fails.
        """
        done = subprocess.run(
            [find_vault(), *args],
            input=stdin,
            capture_output=True,
            text=True,
            env=self.environment(token),
            check=False,
        )
        if done.returncode != 0:
            raise ServerError(f"vault {' '.join(args[:3])} failed: {done.stderr.strip()}")
        return done.stdout

    def initialise(self):
        """Initialises with one key share and unseals; fills root_token and unseal_key."""
        made = self.api("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}, token="")
        self.root_token, self.unseal_key = made["root_token"], made["keys_base64"][0]
        self.unseal()

    def seal(self):
        """Seals the server: every request but health and unseal is then answered with 503."""
        self.api("PUT", "sys/seal")

    def unseal(self, standby=False):
        """Unseals the server and returns when it answers as the active node (or as the STANDBY of
        another).
        """
        self.api("PUT", "sys/unseal", {"key": self.unseal_key}, token="")
        self._wait_health((429 if standby else 200,))

    def health(self):
        """The status of sys/health (200 active, 429 standby, 501 not initialised, 503 sealed), or
        None: not there.
        """
        try:
            self.api("GET", "sys/health", token="")
            return 200
        except VaultError as error:
            return error.status
        except OSError:
            return None

    def stop(self):
        """Ends the server; its data folder stays."""
        processes.stop(self.pid)

    def _wait_health(self, wanted):
        processes.wait_until(
            f"Vault ({self.name})", lambda: self.health() in wanted, self.pid, self.log
        )


def find_vault():
    """The path of the vault (or bao) program."""
    return processes.find_program("vault", "bao")


def start_vault(
    folder, name="vault", initialise=True, http=False, tls_variants=False, storage="file", join=None
):
    """Starts a Vault in FOLDER/NAME, initialised and unsealed unless INITIALISE is false.

    HTTP adds a plain listener, TLS_VARIANTS the listeners that clients must refuse or need a client
    certificate for (see Vault.addresses). STORAGE is "file" or "raft"; JOIN is a running raft Vault
    whose standby the new one becomes.
    """
    folder = pathlib.Path(folder).resolve() / name
    data = folder / "data"
    data.mkdir(parents=True)
    folder.chmod(0o700)
    authority = Authority(pathlib.Path(join.ca_cert).parent if join else folder / "tls")
    server_cert, server_key = authority.issue(f"{name}-server")
    client_cert, client_key = authority.issue(
        f"{name}-client", subject="vaultcore client", names=("DNS:client",)
    )

    listeners = {"": (server_cert, server_key, {})}
    if http:
        listeners["http"] = (None, None, {"tls_disable": True})
    if tls_variants:
        listeners["expired"] = (*authority.issue("expired", days=-1), {})
        listeners["other-host"] = (*authority.issue("other-host", names=("DNS:vault.example",)), {})
        listeners["other-ca"] = (*Authority(folder / "other-tls", "another CA").issue("server"), {})
        listeners["client-cert"] = (
            server_cert,
            server_key,
            {
                "tls_require_and_verify_client_cert": True,
                "tls_client_ca_file": str(authority.certificate),
            },
        )

    # Another process may take a port between our look and the server's bind: then once more, with
    # others.
    for attempt in (1, 2, 3):
        cluster_port, *rest = processes.free_ports(len(listeners) + 1)
        ports = dict(zip(listeners, rest))
        config, log = folder / "config.json", folder / "server.log"
        config.write_text(
            json.dumps(_config(name, data, listeners, ports, cluster_port, storage, join), indent=2)
        )
        pid = processes.start(
            [find_vault(), "server", f"-config={config}"],
            log,
            env={"PATH": os.environ.get("PATH", ""), "HOME": str(folder)},
        )
        vault = Vault(
            name=name,
            address=f"https://127.0.0.1:{ports['']}",
            addresses={
                key: f"{'http' if key == 'http' else 'https'}://127.0.0.1:{port}"
                for key, port in ports.items()
                if key
            },
            ca_cert=str(authority.certificate),
            client_cert=str(client_cert),
            client_key=str(client_key),
            root_token="",
            unseal_key="",
            pid=pid,
            folder=str(folder),
            log=str(log),
        )
        try:
            vault._wait_health((501, 503))
            break
        except ServerError:
            vault.stop()
            if attempt == 3 or "address already in use" not in log.read_text(errors="replace"):
                raise
            log.unlink()
    if join:
        vault.root_token, vault.unseal_key = join.root_token, join.unseal_key
        # Joining goes on in the background; before it is done the server calls itself not
        # initialised.
        vault._wait_health((503,))
        vault.unseal(standby=True)
    elif initialise:
        try:
            vault.initialise()
        except ServerError:
            vault.stop()
            raise
    return vault


def _config(name, data, listeners, ports, cluster_port, storage, join):
    blocks = []
    for key, (certificate, private_key, extra) in listeners.items():
        block = {
            "address": f"127.0.0.1:{ports[key]}",
            "cluster_address": f"127.0.0.1:{cluster_port}",
            **extra,
        }
        if certificate:
            block.update(tls_cert_file=str(certificate), tls_key_file=str(private_key))
        blocks.append({"tcp": block})
    store = {"path": str(data)}
    if storage == "raft":
        store.update(node_id=name, performance_multiplier=1)
        if join:
            store["retry_join"] = [
                {"leader_api_addr": join.address, "leader_ca_cert_file": join.ca_cert}
            ]
    return {
        "storage": {storage: store},
        "listener": blocks,
        "api_addr": f"https://127.0.0.1:{ports['']}",
        "cluster_addr": f"https://127.0.0.1:{cluster_port}",
        "disable_mlock": True,
        "ui": False,
        "log_level": "info",
    }
