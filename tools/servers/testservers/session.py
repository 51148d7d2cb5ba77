"""A set of servers that start together, are written down in STATE/servers.json, and stop together.
"""

import contextlib
import json
import os
import pathlib

from . import guide, kubernetes, postgres, vault


class Session:
    """The servers of one state folder.

    vaults       dictionary: "vault", the main one; "sealed", "uninitialised", "standby" on request
    kubernetes, postgres, guide   None unless asked for
    """

    def __init__(self, state):
        self.state = pathlib.Path(state).resolve()
        # (pid, start time) of the process that holds the servers, when it is another one.
        self.keeper = None
        self.vaults, self.kubernetes, self.postgres, self.guide = {}, None, None, None

    @property
    def vault(self):
        """The main Vault."""
        return self.vaults["vault"]

    @property
    def file(self):
        """Where the session is written down."""
        return self.state / "servers.json"

    def start(
        self,
        http=False,
        tls_variants=False,
        kube=False,
        with_postgres=False,
        sealed=False,
        uninitialised=False,
        standby=False,
        with_guide=False,
    ):
        """Starts what is asked for, all or nothing, and writes servers.json (0600)."""
        self.state.mkdir(parents=True, exist_ok=True)
        self.state.chmod(0o700)
        try:
            if kube:  # The slowest first: the others start while it does.
                self.kubernetes = kubernetes.launch_kubernetes(self.state)
            self.vaults["vault"] = vault.start_vault(
                self.state,
                http=http,
                tls_variants=tls_variants,
                storage="raft" if standby else "file",
            )
            if standby:
                self.vaults["standby"] = vault.start_vault(
                    self.state, "standby", storage="raft", join=self.vault
                )
            if sealed:
                self.vaults["sealed"] = vault.start_vault(self.state, "sealed")
                self.vaults["sealed"].seal()
            if uninitialised:
                self.vaults["uninitialised"] = vault.start_vault(
                    self.state, "uninitialised", initialise=False
                )
            if with_postgres:
                self.postgres = postgres.start_postgres(self.state)
            if kube:
                kubernetes.wait_kubernetes(self.kubernetes)
            if with_guide:
                self.guide = guide.configure_guide(self.vault, self.kubernetes)
            self.save()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self):
        """Ends all servers; the state folder stays, without servers.json."""
        for one in (*self.vaults.values(), self.kubernetes, self.postgres):
            if one:
                one.stop()
        self.file.unlink(missing_ok=True)

    def save(self):
        """Writes servers.json, whole or not at all."""
        parts = {
            name: part.to_json()
            for name in ("kubernetes", "postgres", "guide")
            if (part := getattr(self, name))
        }
        text = json.dumps(
            {
                "keeper": self.keeper,
                "environment": self.environment(),
                "vaults": {name: one.to_json() for name, one in self.vaults.items()},
                **parts,
            },
            indent=2,
        )
        temporary = self.file.with_suffix(".new")
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        with open(
            os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii"
        ) as output:
            output.write(text)
        temporary.rename(self.file)

    def environment(self):
        """The VC_TEST_* variables for a command that tests against these servers.
        """
        values = {"VC_TEST_SERVERS": str(self.file)}
        for name, one in self.vaults.items():
            prefix = "VC_TEST_VAULT" if name == "vault" else f"VC_TEST_VAULT_{name.upper()}"
            values[f"{prefix}_ADDR"] = one.address
            for listener, address in one.addresses.items():
                values[f"{prefix}_ADDR_{listener.replace('-', '_').upper()}"] = address
            if name == "vault":
                values.update(
                    {
                        f"{prefix}_CACERT": one.ca_cert,
                        f"{prefix}_CLIENT_CERT": one.client_cert,
                        f"{prefix}_CLIENT_KEY": one.client_key,
                        f"{prefix}_ROOT_TOKEN": one.root_token,
                        f"{prefix}_UNSEAL_KEY": one.unseal_key,
                    }
                )
        if self.guide:
            values.update(
                VC_TEST_GENERATOR_TOKEN=self.guide.generator_token,
                VC_TEST_ROLE_ID=self.guide.role_id,
                VC_TEST_SECRET_ID=self.guide.secret_id,
            )
        if self.kubernetes:
            values.update(
                VC_TEST_KUBE_ADDR=self.kubernetes.address,
                VC_TEST_KUBE_CACERT=self.kubernetes.ca_cert,
                VC_TEST_KUBECONFIG=self.kubernetes.kubeconfig,
            )
        if self.postgres:
            values.update(
                VC_TEST_POSTGRES_PORT=str(self.postgres.port),
                VC_TEST_POSTGRES_PASSWORD=self.postgres.password,
            )
        return values


def attach(state):
    """The Session that another process started in STATE; FileNotFoundError when there is none."""
    session = Session(state)
    saved = json.loads(session.file.read_text())
    session.keeper = saved["keeper"]
    session.vaults = {name: vault.Vault(**fields) for name, fields in saved["vaults"].items()}
    if "kubernetes" in saved:
        session.kubernetes = kubernetes.Kubernetes(**saved["kubernetes"])
    if "postgres" in saved:
        session.postgres = postgres.Postgres(**saved["postgres"])
    if "guide" in saved:
        session.guide = guide.Guide(**saved["guide"])
    return session
