"""The main job, end to end, on real servers: tools/demo calls this when all that it needs is there.

usage: demo.py GENERATOR LOADER HELM     (paths of the programs)
"""

import hashlib
import json
import os
import pathlib
import secrets
import signal
import subprocess
import sys
import tempfile

TREE = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(TREE / "tools/servers"), str(TREE / "tools/demo_parts")]

# pylint: disable=wrong-import-position
import yaml
from pods import Node, pods_of
from screen import DemoError, Screen
from servers import ServerError, Session, configure_guide, create_token, find_vault

CHART = "examples/acme-platform"
VALUES = "examples/acme-platform-values"
NAMESPACE = "harness"
CONFIG_KEY = "secrets-loader-config.yaml"


class Demo:
    """The steps of the demo, in the order of their definition."""

    def __init__(self, generator, loader, helm, state):
        self._generator, self._loader, self._helm = generator, loader, helm
        self._state = pathlib.Path(state)
        self._screen = Screen()
        self._session = Session(self._state / "servers")
        self._guide = None
        self._expected = json.loads((TREE / VALUES / "expected.json").read_text())
        # What the operator says on each command line; the last file is all that this run adds.
        self._address_file = self._state / "address.yaml"
        self._values = []
        for name in ("values", "override", "static-databases"):
            self._values += ["-f", f"{VALUES}/{name}.yaml"]
        self._values += ["-f", self._address_file]
        self._pods = []
        self._loaded = {}

    def run(self):
        """All steps; what was started is stopped, however they end."""
        try:
            self.start_servers()
            self.set_up_vault()
            self.generate()
            self.deploy()
            self.add_by_hand()
            self.generate_again()
            self.play_pods()
            self.log_in_otherwise()
            self.compare_shared()
            self.show_in_vault()
            self.search_for_values()
        finally:
            self._session.stop()
            self._screen.note(
                "\nVault, the API server and etcd are stopped; their data is removed."
            )

    def start_servers(self):
        """Vault and the Kubernetes API server, for this run alone."""
        screen = self._screen
        screen.heading("Servers of this run, on 127.0.0.1")
        self._session.start(kube=True)
        vault, kubernetes = self._session.vault, self._session.kubernetes
        version = vault.api("GET", "sys/seal-status")["version"]
        screen.note(
            f"Vault {version} at {vault.address}: TLS under a private CA, storage on disk, "
            "initialised and unsealed"
        )
        version = kubernetes.api("GET", "version")["gitVersion"]
        screen.note(f"Kubernetes API server {version} at {kubernetes.address}, with etcd and RBAC")

    def set_up_vault(self):
        """The guide's steps 1 to 3, and what the chart expects to find in the cluster."""
        screen, vault = self._screen, self._session.vault
        screen.heading("Vault, set up as the integration guide says")
        self._session.kubernetes.create_namespace(NAMESPACE)
        self._guide = configure_guide(
            vault, self._session.kubernetes, namespace=NAMESPACE, create_accounts=False
        )
        for name, told in (
            ("harness-generator", "the operator's"),
            ("harness-runtime", "the pods'"),
        ):
            screen.command(f"vault policy read {name}", told)
            screen.lines(vault.cli(["policy", "read", name]))
        screen.note(
            "mounts secret/ (KV v2) and kv1/ (KV v1); logins approle and kubernetes, "
            "each with the role harness"
        )
        ca_cert = pathlib.Path(vault.ca_cert).read_text()
        objects = f"api/v1/namespaces/{NAMESPACE}"
        post = self._session.kubernetes.api
        post(
            "POST",
            f"{objects}/configmaps",
            {"metadata": {"name": "vault-ca"}, "data": {"ca.crt": ca_cert}},
        )
        post(
            "POST",
            f"{objects}/secrets",
            {"metadata": {"name": "acme-vault-ca"}, "stringData": {"ca.crt": ca_cert}},
        )
        post(
            "POST",
            f"{objects}/secrets",
            {
                "metadata": {"name": "runner-farm"},
                "stringData": {"token": secrets.token_hex(16), "kubeconfig": secrets.token_hex(64)},
            },
        )
        self._write_private(self._address_file, {"vault": {"address": vault.address}})

    def generate(self):
        """The operator's one-time job."""
        self._screen.heading(
            "The operator generates, with a token that has the generator's policy only"
        )
        self._run_generator()

    def deploy(self):
        """Helm installs the chart; the API server takes its objects, no kubelet starts its pods."""
        self._screen.heading("The chart is deployed")
        # The hooks are pods too, but nothing in this cluster would run them.
        self._helm_command(["upgrade", "--install", "--no-hooks", "demo", CHART, *self._values])
        manifests = "\n---\n".join(
            self._helm_quietly(["get", what, "demo"]) for what in ("manifest", "hooks")
        )
        self._pods = list(pods_of(manifests))

    def add_by_hand(self):
        """What nobody can generate: licences, accounts elsewhere, databases of others."""
        self._screen.heading("The operator adds by hand what nobody can generate")
        wanted = {}
        for service in self._services():
            for kind in ("env-secrets", "file-secrets"):
                for key, told in service[kind].items():
                    if told["class"] == "external":
                        wanted.setdefault(f"{service['path']}/{kind}", {})[key] = self._by_hand(
                            told
                        )
        for database in self._expected["databases"]:
            path = database["path"]
            if database["dynamic"]:  # not with static-databases.yaml
                path = f"secret/harness/{database['type']}"
            wanted[path] = {
                "username": f"u{secrets.token_hex(4)}",
                "password": secrets.token_hex(16),
            }
        there = self._versions()
        for path, data in wanted.items():
            path = path.removeprefix("secret/")
            verb = ["patch", "-method=rw"] if path in there else ["put"]
            command = ["kv", *verb, "-mount=secret", path, "-"]
            self._screen.command(["vault", *command], f"{', '.join(data)} on standard input")
            self._session.vault.cli(
                command, token=self._guide.generator_token, stdin=json.dumps(data)
            )

    def generate_again(self):
        """A second run finds nothing to do and makes no new version of anything."""
        self._screen.heading("The generator's second run")
        before = self._versions()
        self._run_generator()
        if self._versions() != before:
            raise DemoError("the second run wrote a new version")
        self._screen.good(f"no new version of any of the {len(before)} entries")

    def play_pods(self):
        """Each pod of the release: its loader with the kubernetes login, then its application."""
        screen = self._screen
        screen.heading("Each pod: the loader logs in by kubernetes, then the service starts")
        node = self._node("kubernetes")
        for service, pod, spec in self._pods:
            screen.note(f"pod {pod} ({service})")
            for container, code, output, root in node.play(pod, spec):
                screen.note(f"  container {container}: exit code {code}")
                screen.lines(output, "    ")
                if code != 0:
                    raise DemoError(f"the container {container} of {pod} failed")
                if container == "secrets-loader":
                    files = self._files(root)
                elif container == spec["containers"][0]["name"]:
                    values = self._hashes(node, root, self._vault_name(spec))
            self._loaded[pod] = (files, values)

    def log_in_otherwise(self):
        """The same loaders with the other two logins, configured by the chart again."""
        screen = self._screen
        screen.heading("The same loaders by AppRole and by token, configured by the chart again")
        token = create_token(self._session.vault, ["harness-runtime"])
        logins = {
            "approle": {"roleId": self._guide.role_id, "secretId": self._guide.secret_id},
            "token": {"token": token},
        }
        for method, credentials in logins.items():
            values = self._state / f"{method}.yaml"
            self._write_private(values, {"vault": {"auth": {"method": method, **credentials}}})
            rendered = self._helm_quietly(["template", "demo", CHART, *self._values, "-f", values])
            configurations = {
                one["metadata"]["name"]: one["data"][CONFIG_KEY]
                for one in yaml.safe_load_all(rendered)
                if one and one["kind"] == "ConfigMap" and CONFIG_KEY in one["data"]
            }
            node = self._node(method)
            for _, pod, spec in self._pods:
                configuration = configurations[self._config_map(spec)]
                for container, code, output, root in node.play(pod, spec, configuration, True):
                    if code != 0:
                        screen.lines(output)
                        raise DemoError(f"{container} of {pod} failed with the login {method}")
                    if self._files(root) != self._loaded[pod][0]:
                        raise DemoError(f"{pod} received something else by {method}")
            screen.good(
                f"{method}: all {len(self._pods)} loaders wrote the same files, byte for byte"
            )

    def compare_shared(self):
        """Services that share a secret received the same value."""
        self._screen.heading("Services that share a secret received the same one")
        received = {}
        for _, values in self._loaded.values():
            received.update(values)
        for group in self._expected["equal"]:
            if len({received[place] for place in group}) != 1:
                raise DemoError(f"these differ: {', '.join(group)}")
            self._screen.good(
                f"the same in {', '.join(place.replace('/', ' ') for place in group)}"
            )

    def show_in_vault(self):
        """The same entries through Vault's own command line."""
        screen, vault = self._screen, self._session.vault
        screen.heading("The same entries through the vault command line")
        environment = vault.environment(self._guide.generator_token)
        screen.run(
            [find_vault(), "kv", "list", "-mount=secret", "harness/"],
            environment,
            "vault kv list -mount=secret harness/",
        )
        screen.run(
            [find_vault(), "kv", "metadata", "get", "-mount=secret", "harness/gateway/env-secrets"],
            environment,
            "vault kv metadata get -mount=secret harness/gateway/env-secrets",
        )
        for path, version in self._versions().items():
            got = vault.cli(
                ["kv", "get", "-mount=secret", "-format=json", path],
                token=self._guide.generator_token,
            )
            screen.note(
                f"  {path} (version {version}): {', '.join(json.loads(got)['data']['data'])}"
            )

    def search_for_values(self):
        """No secret value stands in what was shown above."""
        self._screen.heading("Nothing secret was shown")
        values = {
            "the operator's token": self._guide.generator_token,
            "the secret-id": self._guide.secret_id,
        }
        for path in self._versions():
            entry = self._session.vault.api("GET", f"secret/data/{path}")["data"]["data"]
            # The name of an account is no secret, and may well stand there.
            secret = {key: value for key, value in entry.items() if not key.endswith("USER")}
            values.update({f"{path} {key}": str(value) for key, value in secret.items()})
        for name, value in values.items():
            if value in self._screen.shown:
                raise DemoError(f"the value of {name} was shown")
        self._screen.good(f"none of the {len(values)} values stands in this output")

    def _run_generator(self):
        words = ["generate", "demo", CHART, *self._values, "-n", NAMESPACE]
        environment = self._session.vault.environment(self._guide.generator_token)
        environment["PATH"] = f"{os.path.dirname(self._helm)}:{os.environ['PATH']}"
        self._screen.run(
            [self._generator, *words],
            environment,
            f"vaultSecretGenerator {self._told(words)}",
        )

    def _helm_command(self, words):
        self._screen.run(
            [self._helm, *words, "-n", NAMESPACE],
            self._helm_environment(),
            f"helm {self._told(words)} -n {NAMESPACE}",
        )

    def _helm_quietly(self, words):
        done = subprocess.run(
            [self._helm, *words, "-n", NAMESPACE],
            env=self._helm_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise DemoError(f"helm {words[0]} failed: {done.stderr.strip()}")
        return done.stdout

    def _helm_environment(self):
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._state),
            "KUBECONFIG": self._session.kubernetes.kubeconfig,
        }

    def _told(self, words):
        return " ".join(str(word).replace(f"{self._state}/", "") for word in words)

    def _node(self, name):
        return Node(self._state / "pods" / name, self._loader, self._session.kubernetes, NAMESPACE)

    def _services(self):
        return [one for one in self._expected.values() if isinstance(one, dict)]

    def _by_hand(self, told):
        """A value that the operator would have from elsewhere."""
        if told["reason"] != "kubernetes":
            return secrets.token_urlsafe(24)
        secret, key = told["source"].split("/")
        path = f"api/v1/namespaces/{NAMESPACE}/secrets/{secret}"
        found = self._session.kubernetes.api("GET", path)["data"][key]
        return subprocess.run(
            ["base64", "-d"], input=found, text=True, capture_output=True, check=True
        ).stdout

    def _versions(self, folder="harness/"):
        """{path: current version} of all entries below FOLDER."""
        found = {}
        listed = self._session.vault.api("LIST", f"secret/metadata/{folder}")["data"]["keys"]
        for name in listed:
            path = folder + name
            if name.endswith("/"):
                found.update(self._versions(path))
            else:
                entry = self._session.vault.api("GET", f"secret/metadata/{path}")["data"]
                found[path] = entry["current_version"]
        return found

    def _vault_name(self, spec):
        """The name of the pod's service in Vault, as its loader's configuration has it."""
        path = f"api/v1/namespaces/{NAMESPACE}/configmaps/{self._config_map(spec)}"
        configuration = self._session.kubernetes.api("GET", path)["data"][CONFIG_KEY]
        return yaml.safe_load(configuration)["serviceName"]

    @staticmethod
    def _config_map(spec):
        volume = next(one for one in spec["volumes"] if one["name"] == "secrets-loader-config")
        return volume["configMap"]["name"]

    def _hashes(self, node, root, service):
        """{place: hash} of the shared secrets that the service found, as its shell sees them."""
        found = {}
        for place in (place for group in self._expected["equal"] for place in group):
            name, kind, key = place.split("/")
            if name != service:
                continue
            if kind == "env-secrets":
                script = f'. /shared/env/.env && [ -n "${key}" ] && printf %s "${key}" | sha256sum'
            else:
                script = f"sha256sum < /shared/files/{key}"
            done = node.run_in(root, ["sh", "-c", script])
            if done.returncode == 0:
                found[place] = done.stdout
        return found

    @staticmethod
    def _files(root):
        """{path: hash} of what the loader published; hidden names are how it did that."""
        paths = [root / "shared/env/.env", *(root / "shared/files").glob("[!.]*")]
        return {
            str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(paths)
        }

    @staticmethod
    def _write_private(path, settings):
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump({"global": {"externalSecretsLoader": settings}}))


def interrupted(_number, _frame):
    """On SIGTERM: ends as after Ctrl-C, with everything stopped and removed."""
    raise KeyboardInterrupt


def main():
    """The command line; returns the exit code."""
    os.chdir(TREE)
    signal.signal(signal.SIGTERM, interrupted)
    with tempfile.TemporaryDirectory(prefix="vaultcore-demo-") as state:
        try:
            Demo(*sys.argv[1:4], state).run()
            return 0
        except (DemoError, ServerError) as error:
            print(f"demo: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
        finally:
            # The roots of the pods are read-only, and their owner may not be root.
            subprocess.run(["chmod", "-R", "u+rwX", state], check=False)


if __name__ == "__main__":
    sys.exit(main())
