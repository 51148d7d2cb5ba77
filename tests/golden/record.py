#!/usr/bin/env python3
"""Records what a real Vault is asked and answers, for the unit tests: one exchange a file, *.http.

Starts Vaults in every state, a Kubernetes API server and PostgreSQL (tools/servers), puts them
through what the library has to understand, and writes each exchange down. Where the `vault` command
line has the operation, its own request is recorded, as Vault's client sends it. Tokens, ids, times
and ports are replaced by fixed ones, so that a second run changes nothing.

Usage: tests/golden/record.py        (after tools/setup; about a minute)
"""

import json
import pathlib
import random
import shutil
import tempfile
import time

from recording import GOLDEN, Exchange, Recorder, servers

ENTRY = "harness/log-service/env-secrets"

# Values of every kind, as a JSON object. KV version 2 keeps numbers as doubles, which changes long
# ones; version 1 keeps their text.
VALUES = (
    rb'{"array":[1,"two",null,true],"big":12345678901234567890123,"empty":"","exponent":1E+2,'
    rb'"html":"<a href=\"x\">&</a>","nested":{"b":{"c":"d"},"a":-0.5},"null":null,"number":1.10,'
    rb'"text":"line 1\nline 2\t\u0001 \\ \"q\" \u00e9 \ud83d\ude00 \u2028","truth":false}'
)


def numbers():
    """The texts of numbers of every size and form, the same ones in each run."""
    texts = (
        "0 -0 0.0 1 -1 1.0 1.10 1e2 1E-7 0.0000001 0.000001 1e-6 0.00000123 1e20 1e21 1e-9".split()
    )
    texts += "9007199254740992 9007199254740993 100000000000000000000 123456789012345680000".split()
    texts += "123456789012345683968 1000000000000000000000 1.5e+300 5e-324".split()
    texts += ["1.7976931348623157e+308"]
    chance = random.Random(1)
    for _ in range(300):
        sign = chance.choice(("", "-"))
        digits = str(chance.randrange(10 ** chance.randrange(1, 22)))
        fraction = chance.choice(("", f".{chance.randrange(10 ** chance.randrange(1, 18))}"))
        exponent = chance.choice(("", "", f"e{chance.randrange(-40, 40)}"))
        texts.append(f"{sign}{digits}{fraction}{exponent}")
    texts += [repr(chance.uniform(-1, 1) * 10 ** chance.randrange(-25, 25)) for _ in range(100)]
    return texts


def record_states(recorder):
    """Sealed, uninitialised, standby, and what is no Vault."""
    session, vaults = recorder.session, recorder.session.vaults
    for state, status in (
        ("vault", 200),
        ("standby", 429),
        ("sealed", 503),
        ("uninitialised", 501),
    ):
        name = "active" if state == "vault" else state
        recorder.get(f"health_{name}", status, "sys/health", vault=vaults[state], token="")
    read = f"secret/data/{ENTRY}"
    for state in ("sealed", "uninitialised"):
        recorder.get(f"read_{state}", 503, read, vault=vaults[state])
    recorder.put(
        "login_sealed",
        503,
        "auth/approle/login",
        {"role_id": "r", "secret_id": "s"},
        vault=vaults["sealed"],
        token="",
    )
    recorder.get(
        "redirect_standby",
        307,
        read,
        vault=vaults["standby"],
        headers={"X-Vault-No-Request-Forwarding": "true"},
    )
    recorder.get(
        "plain_http_to_tls", 400, read, address=session.vault.address.replace("https", "http")
    )
    recorder.get("not_the_api", 404, "/prefix/v1/sys/health", token="")


def record_kv2(recorder):
    """KV version 2 with the guide's policies."""
    vault, guide = recorder.vault, recorder.session.guide
    generator = guide.generator_token
    runtime = servers.create_token(vault, ["harness-runtime"])
    data, metadata = f"secret/data/{ENTRY}", f"secret/metadata/{ENTRY}"

    recorder.get("kv2_read_absent", 404, data, token=generator)
    recorder.get(
        "kv2_list_absent", 404, "secret/metadata/harness/nothing?list=true", token=generator
    )
    recorder.get("kv2_metadata_absent", 404, metadata, token=generator)
    put = ("kv", "put", "-mount=secret", "-cas=0", ENTRY, "API_KEY=s3cret", "USER=harness")
    recorder.cli("kv2_write", 200, data, *put, token=generator)
    recorder.cli("kv2_write_cas_mismatch", 400, data, *put, token=generator)
    recorder.cli("kv2_write_without_cas", 200, data, *put[:3], *put[4:], token=generator)
    recorder.cli(
        "mount_lookup_kv2",
        200,
        "sys/internal/ui/mounts/secret",
        "kv",
        "get",
        "-mount=secret",
        ENTRY,
        token=generator,
    )
    recorder.cli("kv2_read", 200, data, "kv", "get", "-mount=secret", ENTRY, token=generator)
    recorder.cli(
        "kv2_list",
        200,
        "secret/metadata/harness?list=true",
        "kv",
        "list",
        "-mount=secret",
        "harness",
        token=vault.root_token,
    )
    recorder.put(
        "kv2_metadata_write",
        204,
        metadata,
        {"custom_metadata": {"managed-by": "vaultSecretGenerator"}},
    )
    recorder.cli(
        "kv2_metadata_read",
        200,
        metadata,
        "kv",
        "metadata",
        "get",
        "-mount=secret",
        ENTRY,
        token=generator,
    )

    recorder.put(
        "kv2_write_values",
        200,
        "secret/data/harness/values",
        b'{"data":' + VALUES + b',"options":{"cas":0}}',
    )
    recorder.get("kv2_read_values", 200, "secret/data/harness/values")
    recorder.put(
        "kv2_write_numbers",
        200,
        "secret/data/harness/numbers",
        ('{"data":{"numbers":[' + ",".join(numbers()) + ']},"options":{"cas":0}}').encode(),
    )
    recorder.get("kv2_read_numbers", 200, "secret/data/harness/numbers")
    recorder.put(
        "kv2_write_special_path",
        200,
        "secret/data/harness/a%20b%2Bc/%C3%A9%25",
        {"data": {"K": "v"}, "options": {"cas": 0}},
    )
    recorder.get("kv2_read_special_path", 200, "secret/data/harness/a%20b%2Bc/%C3%A9%25")

    for entry in ("deleted", "destroyed", "strict"):
        vault.api("PUT", f"secret/data/harness/{entry}", {"data": {"K": "v"}})
    vault.api("PUT", "secret/metadata/harness/strict", {"cas_required": True, "max_versions": 5})
    vault.api("DELETE", "secret/data/harness/deleted")
    vault.api("PUT", "secret/destroy/harness/destroyed", {"versions": [1]})
    recorder.get("kv2_read_deleted", 404, "secret/data/harness/deleted", token=generator)
    recorder.get("kv2_read_destroyed", 404, "secret/data/harness/destroyed", token=generator)
    recorder.put(
        "kv2_write_over_deleted",
        400,
        "secret/data/harness/deleted",
        {"data": {"K": "w"}, "options": {"cas": 0}},
        token=generator,
    )
    recorder.put(
        "kv2_write_cas_required",
        400,
        "secret/data/harness/strict",
        {"data": {"K": "w"}, "options": {}},
        token=generator,
    )
    recorder.get(
        "kv2_metadata_cas_required", 200, "secret/metadata/harness/strict", token=generator
    )
    recorder.put("kv2_write_no_data", 400, data, {"K": "v"}, token=generator)
    recorder.put(
        "kv2_write_long_value",
        500,
        "secret/data/harness/large",
        {"data": {"K": "x" * 2_000_000}, "options": {"cas": 0}},
        token=generator,
    )
    recorder.put(
        "kv2_write_large_entry",
        500,
        "secret/data/harness/large",
        {"data": {str(n): "x" * 400_000 for n in range(5)}, "options": {"cas": 0}},
        token=generator,
    )
    recorder.get("kv2_read_as_kv1", 404, f"secret/{ENTRY}")
    recorder.get("kv2_unsupported", 405, "secret/destroy/harness/x")
    # Vault's community edition knows no namespaces and does not say so.
    recorder.get("kv2_read_namespace", 200, data, headers={"X-Vault-Namespace": "team"})

    recorder.get("kv2_read_forbidden", 403, "secret/data/other", token=runtime)
    recorder.put(
        "kv2_write_forbidden", 403, data, {"data": {"K": "v"}, "options": {"cas": 3}}, token=runtime
    )
    recorder.get("kv2_list_forbidden", 403, "secret/metadata/other?list=true", token=runtime)
    recorder.put(
        "kv2_metadata_forbidden", 403, metadata, {"custom_metadata": {"a": "b"}}, token=generator
    )
    recorder.get("read_no_token", 403, data, token="")
    recorder.get("read_invalid_token", 403, data, token="hvs.doesnotexistdoesnotexist")
    short = servers.create_token(vault, ["harness-runtime"], ttl="1s")
    time.sleep(2)
    recorder.get("read_expired_token", 403, data, token=short)
    recorder.get("read_no_mount", 404, f"nothing/data/{ENTRY}")
    recorder.get("mount_lookup_no_mount", 403, "sys/internal/ui/mounts/nothing", token=generator)
    recorder.get("mount_lookup_forbidden", 403, "sys/internal/ui/mounts/kv1", token=generator)
    recorder.get(
        "mount_lookup_invalid_token",
        403,
        "sys/internal/ui/mounts/secret",
        token="hvs.doesnotexistdoesnotexist",
    )

    vault.api("POST", "sys/mounts/limited", {"type": "kv", "options": {"version": "1"}})
    vault.api("POST", "sys/quotas/rate-limit/golden", {"path": "limited/", "rate": 0.001})
    vault.api("PUT", "limited/x", {"K": "v"})
    recorder.get("rate_limited", 429, "limited/x")


def record_kv1(recorder):
    """KV version 1."""
    entry = f"kv1/{ENTRY}"
    recorder.get("kv1_read_absent", 404, entry)
    recorder.get("kv1_list_absent", 404, "kv1/harness?list=true")
    put = ("kv", "put", "-mount=kv1", ENTRY, "API_KEY=s3cret", "USER=harness")
    recorder.cli("kv1_write", 204, entry, *put)
    recorder.cli("kv1_read", 200, entry, "kv", "get", "-mount=kv1", ENTRY)
    recorder.cli("kv1_list", 200, "kv1/harness?list=true", "kv", "list", "-mount=kv1", "harness")
    recorder.cli(
        "mount_lookup_kv1", 200, "sys/internal/ui/mounts/kv1", "kv", "get", "-mount=kv1", ENTRY
    )
    recorder.put("kv1_write_values", 204, "kv1/harness/values", VALUES)
    recorder.get("kv1_read_values", 200, "kv1/harness/values")
    recorder.get("mount_lookup_no_options", 200, "sys/internal/ui/mounts/sys")


def record_logins(recorder):
    """AppRole, with and without a wrapped secret-id."""
    guide, vault = recorder.session.guide, recorder.vault

    def login(name, status, secret_id, role_id=guide.role_id, mount="approle"):
        recorder.cli(
            name,
            status,
            f"auth/{mount}/login",
            "write",
            f"auth/{mount}/login",
            f"role_id={role_id}",
            f"secret_id={secret_id}",
            token="",
        )

    login("approle_login", 200, guide.secret_id)
    login("approle_login_wrong_secret_id", 400, "00000000-0000-4000-8000-000000000000")
    login("approle_login_wrong_role_id", 400, guide.secret_id, role_id="wrong")
    login("approle_login_no_mount", 403, guide.secret_id, mount="nothing")
    vault.api(
        "POST",
        "auth/approle/role/plain",
        {
            "bind_secret_id": False,
            "token_policies": ["default"],
            "token_bound_cidrs": ["127.0.0.1/32"],
        },
    )
    plain = vault.api("GET", "auth/approle/role/plain/role-id")["data"]["role_id"]
    recorder.put(
        "approle_login_without_secret_id", 200, "auth/approle/login", {"role_id": plain}, token=""
    )

    wrapping = servers.new_secret_id(vault, wrap_ttl="60s")
    recorder.cli(
        "wrap_lookup",
        200,
        "sys/wrapping/lookup",
        "write",
        "sys/wrapping/lookup",
        f"token={wrapping}",
        token="",
    )
    recorder.put("unwrap", 200, "sys/wrapping/unwrap", token=wrapping)
    recorder.put("wrap_lookup_used", 400, "sys/wrapping/lookup", {"token": wrapping}, token="")
    recorder.put("unwrap_used", 400, "sys/wrapping/unwrap", token=wrapping)
    foreign = Exchange(
        "PUT",
        "/v1/sys/wrapping/wrap",
        {"X-Vault-Token": vault.root_token, "X-Vault-Wrap-TTL": "60s"},
        b'{"secret_id":"x"}',
    ).send(vault)
    foreign = json.loads(foreign.answer)["wrap_info"]["token"]
    recorder.put("wrap_lookup_foreign", 200, "sys/wrapping/lookup", {"token": foreign}, token="")


def record_kubernetes(recorder):
    """Kubernetes logins, granted and refused."""
    vault, kubernetes = recorder.vault, recorder.session.kubernetes

    def login(name, status, jwt, role="harness", mount="kubernetes"):
        recorder.cli(
            name,
            status,
            f"auth/{mount}/login",
            "write",
            f"auth/{mount}/login",
            f"role={role}",
            f"jwt={jwt}",
            token="",
        )

    jwt = kubernetes.issue_token("harness", "harness-default")
    login("kubernetes_login", 200, jwt)
    login("kubernetes_login_unknown_role", 400, jwt, role="nothing")
    login("kubernetes_login_not_a_jwt", 403, "text")
    login("kubernetes_login_no_mount", 403, jwt, mount="nothing")
    kubernetes.create_service_account("harness", "intruder")
    login("kubernetes_login_wrong_account", 403, kubernetes.issue_token("harness", "intruder"))
    kubernetes.create_service_account("elsewhere", "harness-default")
    login(
        "kubernetes_login_wrong_namespace",
        403,
        kubernetes.issue_token("elsewhere", "harness-default"),
    )
    vault.api(
        "POST",
        "auth/kubernetes/role/audience",
        {
            "bound_service_account_names": ["*"],
            "bound_service_account_namespaces": ["*"],
            "audience": "vault",
        },
    )
    login("kubernetes_login_wrong_audience", 403, jwt, role="audience")
    login("kubernetes_login_expired", 403, kubernetes.expired_token("harness", "harness-default"))
    vault.api("POST", "sys/auth/unreachable", {"type": "kubernetes"})
    vault.api(
        "POST",
        "auth/unreachable/config",
        {"kubernetes_host": "https://127.0.0.1:1", "disable_local_ca_jwt": True},
    )
    vault.api(
        "POST",
        "auth/unreachable/role/harness",
        {"bound_service_account_names": ["*"], "bound_service_account_namespaces": ["*"]},
    )
    login("kubernetes_login_unreachable", 403, jwt, mount="unreachable")


def record_tokens(recorder):
    """Tokens and capabilities."""
    vault = recorder.vault
    token = servers.create_token(vault, ["harness-runtime"])
    recorder.cli("token_lookup", 200, "auth/token/lookup-self", "token", "lookup", token=token)
    recorder.cli("token_lookup_root", 200, "auth/token/lookup-self", "token", "lookup")
    recorder.get(
        "token_lookup_invalid", 403, "auth/token/lookup-self", token="hvs.doesnotexistdoesnotexist"
    )
    recorder.put("token_renew", 200, "auth/token/renew-self", {"increment": 3600}, token=token)
    recorder.put("token_renew_default", 200, "auth/token/renew-self", {}, token=token)
    recorder.put("token_renew_root", 400, "auth/token/renew-self", {})
    recorder.put(
        "capabilities_self",
        200,
        "sys/capabilities-self",
        {"paths": [f"secret/data/{ENTRY}", "secret/metadata/harness/x", "sys/seal"]},
        token=token,
    )
    recorder.cli(
        "capabilities_self_root",
        200,
        "sys/capabilities-self",
        "token",
        "capabilities",
        "secret/data/x",
    )
    recorder.cli(
        "token_revoke", 204, "auth/token/revoke-self", "token", "revoke", "-self", token=token
    )
    recorder.put("token_revoke_invalid", 403, "auth/token/revoke-self", token=token)


def record_database(recorder):
    """Dynamic credentials of a real PostgreSQL, and their leases."""
    vault, postgres = recorder.vault, recorder.session.postgres
    vault.api("POST", "sys/mounts/database", {"type": "database"})
    statements = [
        "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';"
    ]

    def configure(name, port, **more):
        vault.api(
            "POST",
            f"database/config/{name}",
            {
                "plugin_name": "postgresql-database-plugin",
                "allowed_roles": ["*"],
                "username": postgres.user,
                "password": postgres.password,
                "connection_url": "postgresql://{{username}}:{{password}}@"
                f"{postgres.host}:{port}/"
                f"{postgres.database}?sslmode=disable",
                **more,
            },
        )
        vault.api(
            "POST",
            f"database/roles/{name}",
            {
                "db_name": name,
                "creation_statements": statements,
                "default_ttl": "1h",
                "max_ttl": "24h",
            },
        )

    configure("app", postgres.port)
    configure("down", 1, verify_connection=False)
    token = servers.create_token(vault, ["harness-runtime"])
    recorder.cli("database_creds", 200, "database/creds/app", "read", "database/creds/app")
    recorder.cli(
        "database_creds_unknown_role",
        400,
        "database/creds/nothing",
        "read",
        "database/creds/nothing",
    )
    recorder.get("database_creds_down", 500, "database/creds/down")
    recorder.get("database_creds_forbidden", 403, "database/creds/app", token=token)
    made = vault.api("GET", "database/creds/app")["lease_id"]
    recorder.cli("lease_renew", 200, "sys/leases/renew", "lease", "renew", "-increment=3600", made)
    recorder.put("lease_revoke", 204, "sys/leases/revoke", {"lease_id": made})
    vault.api("PUT", "sys/leases/revoke", {"lease_id": made, "sync": True})
    recorder.put("lease_renew_gone", 400, "sys/leases/renew", {"lease_id": made})


def main():
    """Starts the servers, records, stops them."""
    state = pathlib.Path(tempfile.mkdtemp(prefix="vaultcore-golden-"))
    session = servers.Session(state)
    try:
        print("starting the servers", flush=True)
        session.start(
            kube=True,
            with_postgres=True,
            sealed=True,
            uninitialised=True,
            standby=True,
            with_guide=True,
        )
        recorder = Recorder(session)
        for part in (
            record_states,
            record_kv1,
            record_kv2,
            record_logins,
            record_kubernetes,
            record_tokens,
            record_database,
        ):
            print(part.__doc__, flush=True)
            part(recorder)
        if recorder.unexpected:
            raise SystemExit(
                "\n".join(
                    ["Nothing is saved, because Vault answered otherwise:", *recorder.unexpected]
                )
            )
        recorder.save()
        print(f"{len(recorder.recorded)} exchanges recorded in {GOLDEN}")
    finally:
        session.stop()
        shutil.rmtree(state, ignore_errors=True)


if __name__ == "__main__":
    main()
