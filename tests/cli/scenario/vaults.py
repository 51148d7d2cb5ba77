"""The Vault of a scenario: which one, its tokens and roles, and what stands in it."""

import dataclasses
import json
import re
import subprocess

import servers
from testservers.guide import policy, policy_v1
from testservers.vault import VaultError, find_vault

from .parse import Failure

GUIDE_ROLE = "harness"


@dataclasses.dataclass
class Entry:
    """What `vault kv get` says of an entry; version is None on KV v1."""

    data: dict
    version: object

    def wrong(self, word):
        """Why WORD (see `entry` in run.py) does not hold, without telling a value; or None."""
        match = re.fullmatch(r"(!?)([^=~]+)(?:([=~])(.*))?", word, re.DOTALL)
        absent, key, kind, wanted = match.groups()
        if absent:
            return f"{key} is in it" if key in self.data else None
        if kind == "=" and key == "version":
            return None if str(self.version) == wanted else f"its version is {self.version}"
        if kind == "=" and key == "only":
            names = sorted(filter(None, wanted.split(",")))
            return (
                None if sorted(self.data) == names else f"it holds {', '.join(sorted(self.data))}"
            )
        if key not in self.data:
            return f"{key} is not in it"
        value = self.data[key]
        value = value if isinstance(value, str) else json.dumps(value)
        if kind == "=" and value != wanted:
            return f"{key} is something else"
        if kind == "~" and not re.fullmatch(wanted, value, re.DOTALL):
            return f"{key} does not match {wanted} ({len(value)} characters)"
        return None


class VaultBinding:
    """The Vault that a scenario speaks to: `vault`, at the base path `base`; `private` if it is the
    scenario's own.
    """

    def __init__(self, kind, session, name, folder):
        self.private = kind in ("own", "standby")
        self.base, self.role, self.others = f"cli/{name}", f"cli-{name}", []
        self.guide = None
        if kind == "shared":
            self.vault = session.vault
            self._forget(name)
            self._prepare(session.kubernetes)
        elif kind in ("sealed", "uninitialised"):
            self.vault = session.vaults[kind]
        elif kind == "own":
            self.vault = servers.start_vault(folder, "own", http=True)
            self.guide = servers.configure_guide(self.vault)
            self.base, self.role = self.guide.base_path, self.guide.role
        elif kind == "standby":
            active = servers.start_vault(folder, "active", storage="raft")
            self.others.append(active)
            self.guide = servers.configure_guide(active)
            self.base, self.role = self.guide.base_path, self.guide.role
            self.vault = servers.start_vault(folder, "standby", storage="raft", join=active)
        else:
            raise Failure(f"there is no server {kind}")
        self.usable = kind not in ("sealed", "uninitialised")
        self._role_id = self._secret_id = ""
        if self.usable:
            role = f"auth/approle/role/{self.role}"
            self._role_id = self.vault.api("GET", f"{role}/role-id")["data"]["role_id"]
            self._secret_id = servers.new_secret_id(self.vault, self.role)

    def close(self):
        """Ends what is the scenario's own."""
        for vault in [self.vault, *self.others] if self.private else []:
            vault.stop()

    def _forget(self, name):
        """Removes what an earlier run against the same servers left."""
        for mount, version, below in (("secret", 2, "metadata/"), ("kv1", 1, "")):
            for path in list(self._paths(mount, version, self.base)):
                self.vault.api("DELETE", f"{mount}/{below}{path}")
        for mount in self.vault.api("GET", "sys/mounts")["data"]:
            if mount.endswith(f"-{name}/"):
                self.vault.api("DELETE", f"sys/mounts/{mount[:-1]}")

    def _prepare(self, kubernetes):
        """The guide's policies and roles, for this scenario's base path."""
        for kind in ("generator", "runtime"):
            text = policy(kind, "secret", self.base) + "\n" + policy_v1(kind, "kv1", self.base)
            self.vault.api("PUT", f"sys/policies/acl/{self._policy(kind)}", {"policy": text})
        self.vault.api(
            "POST",
            f"auth/approle/role/{self.role}",
            {"token_policies": [self._policy("runtime")], "token_ttl": "1h"},
        )
        if kubernetes:
            self.vault.api(
                "POST",
                f"auth/kubernetes/role/{self.role}",
                {
                    "bound_service_account_names": ["harness-default"],
                    "bound_service_account_namespaces": ["harness"],
                    "policies": [self._policy("runtime")],
                    "ttl": "1h",
                },
            )

    def _policy(self, kind):
        return f"harness-{kind}" if self.guide else f"{self.role}-{kind}"

    def variables(self):
        """The scenario's variables."""
        vault = self.vault
        names = {
            "ADDR": vault.address,
            "CACERT": vault.ca_cert,
            "CLIENT_CERT": vault.client_cert,
            "CLIENT_KEY": vault.client_key,
            "BASE": self.base,
            "ROLE": self.role,
            "ROLE_ID": self._role_id,
            "SECRET_ID": self._secret_id,
        }
        for name, address in vault.addresses.items():
            key = "HTTP_ADDR" if name == "http" else "ADDR_" + name.upper().replace("-", "_")
            names[key] = address
        # The wrong one of http and https.
        names["ADDR_AS_HTTP"] = vault.address.replace("https:", "http:")
        if "http" in vault.addresses:
            names["HTTP_ADDR_AS_HTTPS"] = vault.addresses["http"].replace("http:", "https:")
        return names

    def secrets(self):
        """(what, value) of the credentials there are."""
        return [
            (what, value)
            for what, value in (
                ("the root token", self.vault.root_token),
                ("the unseal key", self.vault.unseal_key),
                ("the secret-id", self._secret_id),
            )
            if value
        ]

    def http_address(self):
        """Host and port of the plain listener."""
        return self.vault.addresses["http"].removeprefix("http://")

    def token(self, who, ttl, text):
        """A new token of WHO; TEXT is the policy that it has instead of the usual one."""
        if who == "root":
            return self.vault.root_token
        if text is not None:
            name = f"{self.role}-{who}"
            self.vault.api("PUT", f"sys/policies/acl/{name}", {"policy": text})
            return servers.create_token(self.vault, [name], ttl)
        if who == "default":
            return servers.create_token(self.vault, ["default"], ttl)
        if who not in ("generator", "runtime"):
            raise Failure(f"as {who}? generator, runtime, root, default, none, or policy=FILE")
        return servers.create_token(self.vault, [self._policy(who)], ttl)

    def command_line(self):
        """The vault program and the environment in which it is root."""
        return find_vault(), self.vault.environment()

    def read_entry(self, path):
        """The entry MOUNT/PATH through the vault command line; None when it is not there."""
        mount, _, path = path.partition("/")
        program, environment = self.command_line()
        done = subprocess.run(
            [program, "kv", "get", "-format=json", f"-mount={mount}", path],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        if done.returncode == 2 and "No value found" in done.stderr:
            return None
        if done.returncode != 0:
            raise Failure(f"vault kv get failed: {done.stderr.strip()}")
        data = json.loads(done.stdout)["data"]
        if isinstance(data.get("metadata"), dict) and "version" in data["metadata"]:
            if data["data"] is None:  # Its last version was deleted.
                return None
            return Entry(data["data"], data["metadata"]["version"])
        return Entry(data, None)

    def entries(self):
        """{"MOUNT/PATH": Entry} of all that stands below the base path now."""
        found = {}
        if not self.usable or self.vault.health() != 200:
            return found
        for mount, version in (("secret", 2), ("kv1", 1)):
            for path in self._paths(mount, version, self.base):
                if version == 1:
                    data = self.vault.api("GET", f"{mount}/{path}")["data"]
                    found[f"{mount}/{path}"] = Entry(data, None)
                    continue
                try:
                    answer = self.vault.api("GET", f"{mount}/data/{path}")["data"]
                except VaultError as error:
                    if error.status != 404:
                        raise
                    continue
                found[f"{mount}/{path}"] = Entry(answer["data"], answer["metadata"]["version"])
        return found

    def _paths(self, mount, version, folder):
        below = "metadata/" if version == 2 else ""
        try:
            keys = self.vault.api("LIST", f"{mount}/{below}{folder}")["data"]["keys"]
        except VaultError as error:
            if error.status != 404:
                raise
            return
        for key in keys:
            if key.endswith("/"):
                yield from self._paths(mount, version, f"{folder}/{key[:-1]}")
            else:
                yield f"{folder}/{key}"

    def values(self):
        """(where, text) of every text below the base path."""
        for path, entry in self.entries().items():
            for key, value in entry.data.items():
                yield f"{path}:{key}", value if isinstance(value, str) else json.dumps(value)
