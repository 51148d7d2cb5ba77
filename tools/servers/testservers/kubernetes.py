"""A real Kubernetes API server on loopback, with etcd behind it: RBAC, service accounts,
TokenReview. No kubelet.
"""

import base64
import json
import os
import pathlib
import secrets
import ssl
import subprocess
import time
import urllib.error
import urllib.request

from . import processes
from .certificates import Authority
from .processes import ServerError

ISSUER = "https://kubernetes.default.svc.cluster.local"


class Kubernetes:
    """One running API server; its plain attributes are all that is needed to find it again.

    address      https://127.0.0.1:PORT
    ca_cert      the CA's certificate (a file)
    admin_token  a token of the group system:masters
    kubeconfig   a file for helm and kubectl, with the admin token
    issuer       of the service account tokens, and their default audience
    pids, folder, log
    """

    FIELDS = ("address", "ca_cert", "admin_token", "kubeconfig", "issuer", "pids", "folder", "log")

    def __init__(self, **fields):
        for name in self.FIELDS:
            setattr(self, name, fields[name])
        self._tls = ssl.create_default_context(cafile=self.ca_cert)

    def to_json(self):
        """A dictionary from which Kubernetes(**dictionary) makes the same object in another
        process.
        """
        return {name: getattr(self, name) for name in self.FIELDS}

    def api(self, method, path, body=None, token=None):
        """One request as the admin (or TOKEN); the parsed JSON answer. A status of 400 and more
        raises ServerError.
        """
        request = urllib.request.Request(
            f"{self.address}/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        request.add_header("Authorization", f"Bearer {token or self.admin_token}")
        request.add_header("Content-Type", "application/json")
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self._tls)
        )
        try:
            with opener.open(request, timeout=60) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise ServerError(
                f"kubernetes: {method} {path}: {error.code}: "
                f"{error.read().decode(errors='replace')[:300]}"
            ) from None

    def create_namespace(self, namespace):
        """Creates NAMESPACE; one that is there already is fine."""
        self._create("api/v1/namespaces", {"metadata": {"name": namespace}})

    def create_service_account(self, namespace, name):
        """Creates the service account, and its namespace before it; what is there already is fine.
        """
        self.create_namespace(namespace)
        self._create(f"api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": name}})

    def issue_token(self, namespace, name, audiences=None, seconds=3600):
        """A token for the service account, issued by the TokenRequest API (which gives none below
        600 seconds).
        """
        spec = {"expirationSeconds": seconds}
        if audiences:
            spec["audiences"] = list(audiences)
        made = self.api(
            "POST",
            f"api/v1/namespaces/{namespace}/serviceaccounts/{name}/token",
            {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec},
        )
        return made["status"]["token"]

    def sign_token(self, claims):
        """A token with just these CLAIMS under the API server's own key: an expired one, for
        example.
        """

        def encode(data):
            return base64.urlsafe_b64encode(data).rstrip(b"=")

        header = {"alg": "RS256", "typ": "JWT"}
        text = b".".join(encode(json.dumps(part).encode()) for part in (header, claims))
        signature = subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", f"{self.folder}/service-account.key"],
            input=text,
            capture_output=True,
            check=True,
        ).stdout
        return b".".join((text, encode(signature))).decode()

    def expired_token(self, namespace, name):
        """A token of the service account that expired a minute ago."""
        uid = self.api("GET", f"api/v1/namespaces/{namespace}/serviceaccounts/{name}")["metadata"][
            "uid"
        ]
        now = int(time.time())
        return self.sign_token(
            {
                "iss": self.issuer,
                "aud": [self.issuer],
                "iat": now - 3660,
                "nbf": now - 3660,
                "exp": now - 60,
                "sub": f"system:serviceaccount:{namespace}:{name}",
                "kubernetes.io": {
                    "namespace": namespace,
                    "serviceaccount": {"name": name, "uid": uid},
                },
            }
        )

    def create_reviewer(self, namespace="vault", name="vault-auth", seconds=86400):
        """The account with system:auth-delegator with which Vault asks for token reviews; returns
        its token.
        """
        self.create_service_account(namespace, name)
        self._create(
            "apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            {
                "metadata": {"name": f"{namespace}-{name}-reviewer"},
                "roleRef": {
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": "ClusterRole",
                    "name": "system:auth-delegator",
                },
                "subjects": [{"kind": "ServiceAccount", "namespace": namespace, "name": name}],
            },
        )
        return self.issue_token(namespace, name, seconds=seconds)

    def stop(self):
        """Ends the API server, then etcd."""
        for pid in reversed(self.pids):
            processes.stop(pid)

    def _create(self, path, body):
        try:
            self.api("POST", path, body)
        except ServerError as error:
            if ": 409: " not in str(error):
                raise

    def _ready(self):
        try:
            self.api("GET", "api/v1/namespaces/default")
            # The cluster roles are made by a hook after the start.
            self.api("GET", "apis/rbac.authorization.k8s.io/v1/clusterroles/system:auth-delegator")
            return True
        except (OSError, ServerError):
            return False


def launch_kubernetes(folder):
    """Starts etcd and the API server in FOLDER/kubernetes and returns at once; see wait_kubernetes.
    """
    folder = pathlib.Path(folder).resolve() / "kubernetes"
    folder.mkdir(parents=True, mode=0o700)
    etcd, apiserver = processes.find_program("etcd"), processes.find_program("kube-apiserver")
    authority = Authority(folder / "tls", "vaultcore test cluster CA")
    certificate, key = authority.issue("apiserver")
    signing_key = folder / "service-account.key"
    signing_key.touch(mode=0o600)
    subprocess.run(
        ["openssl", "genrsa", "-out", signing_key, "2048"], capture_output=True, check=True
    )
    admin_token = secrets.token_hex(16)
    tokens = folder / "tokens.csv"
    tokens.touch(mode=0o600)
    tokens.write_text(f'{admin_token},admin,admin,"system:masters"\n')
    log = folder / "server.log"

    port, etcd_port, peer_port = processes.free_ports(3)
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder)}
    etcd_url, peer_url = f"http://127.0.0.1:{etcd_port}", f"http://127.0.0.1:{peer_port}"
    etcd_pid = processes.start(
        [
            etcd,
            "--data-dir",
            folder / "etcd",
            "--unsafe-no-fsync",
            "--listen-client-urls",
            etcd_url,
            "--advertise-client-urls",
            etcd_url,
            "--listen-peer-urls",
            peer_url,
            "--initial-advertise-peer-urls",
            peer_url,
            "--initial-cluster",
            f"default={peer_url}",
        ],
        folder / "etcd.log",
        env=environment,
    )
    server_pid = processes.start(
        [
            apiserver,
            "--etcd-servers",
            etcd_url,
            "--secure-port",
            port,
            "--bind-address",
            "127.0.0.1",
            "--tls-cert-file",
            certificate,
            "--tls-private-key-file",
            key,
            "--service-account-key-file",
            signing_key,
            "--service-account-signing-key-file",
            signing_key,
            "--service-account-issuer",
            ISSUER,
            "--token-auth-file",
            tokens,
            "--authorization-mode",
            "RBAC",
            "--service-cluster-ip-range",
            "10.0.0.0/24",
            "--profiling=false",
        ],
        log,
        env=environment,
    )

    address = f"https://127.0.0.1:{port}"
    kubeconfig = folder / "kubeconfig"
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "test",
                "clusters": [
                    {
                        "name": "test",
                        "cluster": {
                            "server": address,
                            "certificate-authority": str(authority.certificate),
                        },
                    }
                ],
                "users": [{"name": "admin", "user": {"token": admin_token}}],
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
            },
            indent=2,
        )
    )
    return Kubernetes(
        address=address,
        ca_cert=str(authority.certificate),
        admin_token=admin_token,
        kubeconfig=str(kubeconfig),
        issuer=ISSUER,
        pids=[etcd_pid, server_pid],
        folder=str(folder),
        log=str(log),
    )


def wait_kubernetes(kubernetes):
    """Returns KUBERNETES when it serves requests and its RBAC roles are there (3 to 10 s after the
    start).
    """
    try:
        processes.wait_until(
            "the Kubernetes API server",
            kubernetes._ready,
            kubernetes.pids[1],
            kubernetes.log,
            seconds=120,
        )
    except ServerError:
        kubernetes.stop()
        raise
    return kubernetes


def start_kubernetes(folder):
    """Starts a Kubernetes API server (and etcd) in FOLDER/kubernetes and waits until it serves
    requests.
    """
    return wait_kubernetes(launch_kubernetes(folder))
