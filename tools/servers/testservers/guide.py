"""Sets a Vault up as the integration guide tells its operator to: mounts, the two policies, roles,
tokens.
"""

import time

from .processes import SERVERS_DIR
from .vault import VaultError

# The service accounts that the guide binds to its role.
SERVICE_ACCOUNTS = (
    "harness-default",
    "harness-looker",
    "harness-manager",
    "harness-platform-service",
    "harness-queue-service",
    "harness-serviceaccount",
    "ng-manager",
    "template-service",
)


class Guide:
    """What configure_guide made: engine, base_path, namespace, role, generator_token, role_id,
    secret_id.
    """

    FIELDS = ("engine", "base_path", "namespace", "role", "generator_token", "role_id", "secret_id")

    def __init__(self, **fields):
        for name in self.FIELDS:
            setattr(self, name, fields[name])

    def to_json(self):
        """A dictionary from which Guide(**dictionary) makes the same object in another process."""
        return {name: getattr(self, name) for name in self.FIELDS}


def policy(name, engine="secret", base_path="harness"):
    """The text of the guide's policy "generator" or "runtime", for another ENGINE or BASE_PATH
    where asked.
    """
    text = (SERVERS_DIR / "policies" / f"harness-{name}-policy.hcl").read_text()
    text = text.replace("<engine>", engine).replace("<basePath>", base_path)
    return text.replace('"secret/', f'"{engine}/').replace("/harness/", f"/{base_path}/")


def policy_v1(name, engine="kv1", base_path="harness"):
    """The same rights as policy(NAME), on a mount of KV version 1, which has no data/ and
    metadata/.
    """
    capabilities = {"generator": '"create", "update", "read", "list"', "runtime": '"read", "list"'}[
        name
    ]
    return f'path "{engine}/{base_path}/*" {{\n  capabilities = [{capabilities}]\n}}\n'


def mount_kv(vault, path, version):
    """Mounts a KV engine of VERSION 1 or 2 at PATH and returns when it takes requests."""
    vault.api("POST", f"sys/mounts/{path}", {"type": "kv", "options": {"version": str(version)}})
    # A new v2 mount answers 400 for a moment while it "upgrades".
    deadline = time.monotonic() + 10
    while version == 2:
        try:
            vault.api("GET", f"{path}/config")
            return
        except VaultError as error:
            if error.status != 400 or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def create_token(vault, policies, ttl="24h", **more):
    """A token with just POLICIES (as `vault token create -policy=... -ttl=...`)."""
    made = vault.api("POST", "auth/token/create", {"policies": list(policies), "ttl": ttl, **more})
    return made["auth"]["client_token"]


def new_secret_id(vault, role="harness", wrap_ttl=None):
    """A new secret-id of the AppRole; with WRAP_TTL ("60s") the wrapping token that holds it."""
    headers = {"X-Vault-Wrap-TTL": wrap_ttl} if wrap_ttl else None
    made = vault.api("POST", f"auth/approle/role/{role}/secret-id", {}, headers=headers)
    return made["wrap_info"]["token"] if wrap_ttl else made["data"]["secret_id"]


def configure_guide(
    vault,
    kubernetes=None,
    namespace="harness",
    service_accounts=SERVICE_ACCOUNTS,
    create_accounts=True,
):
    """Does the guide's steps 1 to 3: KV v2 at secret/ (and v1 at kv1/), the policies
    harness-generator and harness-runtime, a generator token, the AppRole harness, and with
    KUBERNETES the kubernetes login with the role harness for SERVICE_ACCOUNTS of NAMESPACE, which
    are created unless CREATE_ACCOUNTS is false.
    """
    engine, base_path, role = "secret", "harness", "harness"
    mount_kv(vault, engine, 2)
    mount_kv(vault, "kv1", 1)
    for name in ("generator", "runtime"):
        vault.api("PUT", f"sys/policies/acl/harness-{name}", {"policy": policy(name)})

    vault.api("POST", "sys/auth/approle", {"type": "approle"})
    vault.api(
        "POST",
        f"auth/approle/role/{role}",
        {"token_policies": ["harness-runtime"], "token_ttl": "1h"},
    )
    if kubernetes:
        for account in service_accounts if create_accounts else ():
            kubernetes.create_service_account(namespace, account)
        vault.api("POST", "sys/auth/kubernetes", {"type": "kubernetes"})
        with open(kubernetes.ca_cert, encoding="ascii") as ca_cert:
            vault.api(
                "POST",
                "auth/kubernetes/config",
                {
                    "kubernetes_host": kubernetes.address,
                    "kubernetes_ca_cert": ca_cert.read(),
                    "token_reviewer_jwt": kubernetes.create_reviewer(),
                },
            )
        vault.api(
            "POST",
            f"auth/kubernetes/role/{role}",
            {
                "bound_service_account_names": list(service_accounts),
                "bound_service_account_namespaces": [namespace],
                "policies": ["harness-runtime"],
                "ttl": "1h",
            },
        )
    return Guide(
        engine=engine,
        base_path=base_path,
        namespace=namespace,
        role=role,
        generator_token=create_token(vault, ["harness-generator"]),
        role_id=vault.api("GET", f"auth/approle/role/{role}/role-id")["data"]["role_id"],
        secret_id=new_secret_id(vault, role),
    )
