#!/usr/bin/env python3
"""Records what a real Vault is asked and answers, for the unit tests: one exchange a file, *.http.

Starts Vaults in every state, a Kubernetes API server and PostgreSQL (tools/servers), puts them
through what the library has to understand, and writes each exchange down. Where the `vault` command
line has the operation, its own request is recorded, as Vault's client sends it. Tokens, ids, times
and ports are replaced by fixed ones, so that a second run changes nothing.

Usage: tests/golden/record.py        (after tools/setup; about a minute)
"""

import contextlib
import http.client
import http.server
import json
import pathlib
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

GOLDEN = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(GOLDEN.parent.parent / "tools" / "servers"))

# pylint: disable=wrong-import-position
import servers  # noqa: E402

ENTRY = "harness/log-service/env-secrets"
REQUEST_HEADERS = ("X-Vault-Token", "X-Vault-Namespace", "X-Vault-Wrap-Ttl")
RESPONSE_HEADERS = ("Content-Type", "Location", "Retry-After")

# Values of every kind, as a JSON object. KV version 2 keeps numbers as doubles, which changes long
# ones; version 1 keeps their text.
VALUES = (
    rb'{"array":[1,"two",null,true],"big":12345678901234567890123,"empty":"","exponent":1E+2,'
    rb'"html":"<a href=\"x\">&</a>","nested":{"b":{"c":"d"},"a":-0.5},"null":null,"number":1.10,'
    rb'"text":"line 1\nline 2\t\u0001 \\ \"q\" \u00e9 \ud83d\ude00 \u2028","truth":false}'
)

# What differs from run to run, and what stands in its place. \1, where there is one, is kept.
SCRUBBED = (
    (r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "golden.service-account.jwt"),
    (
        r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "00000000-0000-4000-8000-{:012d}",
    ),
    (r"hvs\.[\w-]{20,}", "hvs.golden{}"),
    (r'("(?:wrapped_)?accessor":")\w{20,}', r"\1goldenaccessor{}"),
    (r'("accessor":")\w+_[0-9a-f]{8}', r"\1golden_0000000{}"),
    (r"(database/creds/[\w-]+/)\w{20,}", r"\1goldenlease{}"),
    (r'("password":")[^"]+', r"\1golden-password{}"),
    (r'("username":")v-[\w-]+', r"\1v-golden-app-{}"),
    (
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)",
        "2024-05-06T07:08:09.123456789Z",
    ),
    (r'("client_id":")[^"]+', r"\1golden-client"),
    (r'("cluster_name":")[^"]+', r"\1vault-cluster-golden"),
    (r'("(?:echo_duration_ms|last_request_forwarding_heartbeat_ms)":)\d+', r"\g<1>1"),
    (r'("(?:server_time_utc|creation_time|expire_time|issue_time)":)\d+', r"\g<1>1714979289"),
    (r'("ttl":)8639\d', r"\g<1>86400"),
    (r"(/versions/)[0-9a-f]+/[0-9a-f]+", r"\1golden"),
    (r"(127\.0\.0\.1:)\d+", r"\g<1>8200"),
)


def scrub(text):
    """TEXT with each token, id and time replaced; different ones are numbered as they appear."""
    for pattern, fake in SCRUBBED:
        seen = {}

        def replace(match, fake=fake, seen=seen):
            number = seen.setdefault(match.group(), len(seen) + 1)
            return match.expand(fake).format(number) if "{" in fake else match.expand(fake)

        text = re.sub(pattern, replace, text)
    return text


class Exchange:
    """One request and its answer."""

    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        self.status, self.reason, self.answer_headers, self.answer = 0, "", {}, b""

    def send(self, vault, address=None):
        """Asks VAULT (at ADDRESS, where it is another of its listeners) and keeps the answer."""
        url = urllib.parse.urlsplit(address or vault.address)
        if url.scheme == "https":
            tls = ssl.create_default_context(cafile=vault.ca_cert)
            connection = http.client.HTTPSConnection(
                url.hostname, url.port, timeout=60, context=tls
            )
        else:
            connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(self.method, self.target, self.body or None, self.headers)
            answer = connection.getresponse()
            self.status, self.reason = answer.status, answer.reason
            self.answer_headers, self.answer = answer.headers, answer.read()
        return self

    def text(self):
        """The exchange as a golden file holds it."""
        lines = ["### request", f"{self.method} {self.target}"]
        lines += [
            f"{name}: {self.headers[name]}" for name in REQUEST_HEADERS if name in self.headers
        ]
        body = self.body.decode() if len(self.body) < 100_000 else "(long)"
        lines += ["", body, "### response", f"{self.status} {self.reason}"]
        lines += [
            f"{name}: {self.answer_headers[name]}"
            for name in RESPONSE_HEADERS
            if name in self.answer_headers
        ]
        return scrub("\n".join([*lines, "", self.answer.decode()]))


class Proxy(http.server.ThreadingHTTPServer):
    """Stands between the `vault` command line and a Vault, and keeps the exchanges."""

    def __init__(self, vault):
        super().__init__(("127.0.0.1", 0), ProxyHandler)
        self.vault, self.exchanges = vault, []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def cli(self, *args, token):
        """Runs `vault ARGS`, which may fail; the exchanges that it made."""
        self.exchanges = []
        environment = self.vault.environment(token)
        environment["VAULT_ADDR"] = f"http://127.0.0.1:{self.server_port}"
        environment["VAULT_MAX_RETRIES"] = "0"
        subprocess.run(
            [servers.find_vault(), *args],
            env=environment,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=60,
        )
        return self.exchanges


class ProxyHandler(http.server.BaseHTTPRequestHandler):
    """One request that passes through."""

    def forward(self):
        """Passes the request on and the answer back."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {
            name.title(): value
            for name, value in self.headers.items()
            if name.title().startswith("X-Vault-")
        }
        exchange = Exchange(self.command, self.path, headers, body).send(self.server.vault)
        self.server.exchanges.append(exchange)
        self.send_response(exchange.status)
        for name in RESPONSE_HEADERS:
            if name in exchange.answer_headers:
                self.send_header(name, exchange.answer_headers[name])
        self.send_header("Content-Length", str(len(exchange.answer)))
        self.end_headers()
        self.wfile.write(exchange.answer)

    do_GET = do_PUT = do_POST = do_DELETE = do_LIST = do_PATCH = forward

    def log_message(self, *_args):  # pylint: disable=arguments-differ
        """Keeps quiet."""


class Recorder:
    """Records exchanges with the servers of one session."""

    def __init__(self, session):
        self.session, self.vault = session, session.vault
        self.proxy = Proxy(self.vault)
        self.recorded, self.unexpected = {}, []

    def keep(self, name, exchange, expect):
        """Keeps EXCHANGE under NAME; its status should be the one expected."""
        if exchange.status != expect:
            self.unexpected.append(
                f"{name}: HTTP {exchange.status}, not {expect}: {exchange.answer!r}"
            )
        if name in self.recorded:
            self.unexpected.append(f"{name} is recorded twice")
        self.recorded[name] = exchange.text()

    def ask(self, name, expect, method, path, body=None, token=None, vault=None, **more):
        """Records one request made here, to /v1/PATH, or to PATH where it begins with "/". TOKEN:
        the root token where None, "" for none."""
        vault = vault or self.vault
        headers = dict(more.get("headers", {}))
        token = self.vault.root_token if token is None else token
        if token:
            headers["X-Vault-Token"] = token
        text = (
            b""
            if body is None
            else (
                body
                if isinstance(body, bytes)
                else json.dumps(body, separators=(",", ":")).encode()
            )
        )
        exchange = Exchange(method, path if path.startswith("/") else f"/v1/{path}", headers, text)
        self.keep(name, exchange.send(vault, more.get("address")), expect)

    def cli(self, name, expect, target, *args, token=None):
        """Records the request to TARGET that `vault ARGS` makes."""
        made = self.proxy.cli(*args, token=self.vault.root_token if token is None else token)
        for exchange in made:
            if exchange.target == f"/v1/{target}":
                self.keep(name, exchange, expect)
                return
        self.unexpected.append(
            f"{name}: vault {args[0]} asked {[e.target for e in made]}, not {target}"
        )

    def save(self):
        """Replaces the golden files by what was recorded."""
        for old in GOLDEN.glob("*.http"):
            old.unlink()
        for name, text in self.recorded.items():
            (GOLDEN / f"{name}.http").write_text(text)


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
        recorder.ask(f"health_{name}", status, "GET", "sys/health", vault=vaults[state], token="")
    read = f"secret/data/{ENTRY}"
    for state in ("sealed", "uninitialised"):
        recorder.ask(f"read_{state}", 503, "GET", read, vault=vaults[state])
    recorder.ask(
        "login_sealed",
        503,
        "PUT",
        "auth/approle/login",
        {"role_id": "r", "secret_id": "s"},
        vault=vaults["sealed"],
        token="",
    )
    recorder.ask(
        "redirect_standby",
        307,
        "GET",
        read,
        vault=vaults["standby"],
        headers={"X-Vault-No-Request-Forwarding": "true"},
    )
    recorder.ask(
        "plain_http_to_tls",
        400,
        "GET",
        read,
        address=session.vault.address.replace("https", "http"),
    )
    recorder.ask("not_the_api", 404, "GET", "/prefix/v1/sys/health", token="")


def record_kv2(recorder):
    """KV version 2 with the guide's policies."""
    vault, guide = recorder.vault, recorder.session.guide
    generator = guide.generator_token
    runtime = servers.create_token(vault, ["harness-runtime"])
    data, metadata = f"secret/data/{ENTRY}", f"secret/metadata/{ENTRY}"

    recorder.ask("kv2_read_absent", 404, "GET", data, token=generator)
    recorder.ask(
        "kv2_list_absent", 404, "GET", "secret/metadata/harness/nothing?list=true", token=generator
    )
    recorder.ask("kv2_metadata_absent", 404, "GET", metadata, token=generator)
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
    recorder.ask(
        "kv2_metadata_write",
        204,
        "PUT",
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

    recorder.ask(
        "kv2_write_values",
        200,
        "PUT",
        "secret/data/harness/values",
        b'{"data":' + VALUES + b',"options":{"cas":0}}',
    )
    recorder.ask("kv2_read_values", 200, "GET", "secret/data/harness/values")
    recorder.ask(
        "kv2_write_special_path",
        200,
        "PUT",
        "secret/data/harness/a%20b%2Bc/%C3%A9%25",
        {"data": {"K": "v"}, "options": {"cas": 0}},
    )
    recorder.ask("kv2_read_special_path", 200, "GET", "secret/data/harness/a%20b%2Bc/%C3%A9%25")

    for entry in ("deleted", "destroyed", "strict"):
        vault.api("PUT", f"secret/data/harness/{entry}", {"data": {"K": "v"}})
    vault.api("PUT", "secret/metadata/harness/strict", {"cas_required": True, "max_versions": 5})
    vault.api("DELETE", "secret/data/harness/deleted")
    vault.api("PUT", "secret/destroy/harness/destroyed", {"versions": [1]})
    recorder.ask("kv2_read_deleted", 404, "GET", "secret/data/harness/deleted", token=generator)
    recorder.ask("kv2_read_destroyed", 404, "GET", "secret/data/harness/destroyed", token=generator)
    recorder.ask(
        "kv2_write_over_deleted",
        400,
        "PUT",
        "secret/data/harness/deleted",
        {"data": {"K": "w"}, "options": {"cas": 0}},
        token=generator,
    )
    recorder.ask(
        "kv2_write_cas_required",
        400,
        "PUT",
        "secret/data/harness/strict",
        {"data": {"K": "w"}, "options": {}},
        token=generator,
    )
    recorder.ask(
        "kv2_metadata_cas_required", 200, "GET", "secret/metadata/harness/strict", token=generator
    )
    recorder.ask("kv2_write_no_data", 400, "PUT", data, {"K": "v"}, token=generator)
    recorder.ask(
        "kv2_write_long_value",
        500,
        "PUT",
        "secret/data/harness/large",
        {"data": {"K": "x" * 2_000_000}, "options": {"cas": 0}},
        token=generator,
    )
    recorder.ask(
        "kv2_write_large_entry",
        500,
        "PUT",
        "secret/data/harness/large",
        {"data": {str(n): "x" * 400_000 for n in range(5)}, "options": {"cas": 0}},
        token=generator,
    )
    recorder.ask("kv2_read_as_kv1", 404, "GET", f"secret/{ENTRY}")
    recorder.ask("kv2_unsupported", 405, "GET", "secret/destroy/harness/x")
    # Vault's community edition knows no namespaces and does not say so.
    recorder.ask("kv2_read_namespace", 200, "GET", data, headers={"X-Vault-Namespace": "team"})

    recorder.ask("kv2_read_forbidden", 403, "GET", "secret/data/other", token=runtime)
    recorder.ask(
        "kv2_write_forbidden",
        403,
        "PUT",
        data,
        {"data": {"K": "v"}, "options": {"cas": 3}},
        token=runtime,
    )
    recorder.ask("kv2_list_forbidden", 403, "GET", "secret/metadata/other?list=true", token=runtime)
    recorder.ask(
        "kv2_metadata_forbidden",
        403,
        "PUT",
        metadata,
        {"custom_metadata": {"a": "b"}},
        token=generator,
    )
    recorder.ask("read_no_token", 403, "GET", data, token="")
    recorder.ask("read_invalid_token", 403, "GET", data, token="hvs.doesnotexistdoesnotexist")
    short = servers.create_token(vault, ["harness-runtime"], ttl="1s")
    time.sleep(2)
    recorder.ask("read_expired_token", 403, "GET", data, token=short)
    recorder.ask("read_no_mount", 404, "GET", f"nothing/data/{ENTRY}")
    recorder.ask(
        "mount_lookup_no_mount", 403, "GET", "sys/internal/ui/mounts/nothing", token=generator
    )
    recorder.ask(
        "mount_lookup_forbidden", 403, "GET", "sys/internal/ui/mounts/kv1", token=generator
    )
    recorder.ask(
        "mount_lookup_invalid_token",
        403,
        "GET",
        "sys/internal/ui/mounts/secret",
        token="hvs.doesnotexistdoesnotexist",
    )

    vault.api("POST", "sys/mounts/limited", {"type": "kv", "options": {"version": "1"}})
    vault.api("POST", "sys/quotas/rate-limit/golden", {"path": "limited/", "rate": 0.001})
    vault.api("PUT", "limited/x", {"K": "v"})
    recorder.ask("rate_limited", 429, "GET", "limited/x")


def record_kv1(recorder):
    """KV version 1."""
    entry = f"kv1/{ENTRY}"
    recorder.ask("kv1_read_absent", 404, "GET", entry)
    recorder.ask("kv1_list_absent", 404, "GET", "kv1/harness?list=true")
    put = ("kv", "put", "-mount=kv1", ENTRY, "API_KEY=s3cret", "USER=harness")
    recorder.cli("kv1_write", 204, entry, *put)
    recorder.cli("kv1_read", 200, entry, "kv", "get", "-mount=kv1", ENTRY)
    recorder.cli("kv1_list", 200, "kv1/harness?list=true", "kv", "list", "-mount=kv1", "harness")
    recorder.cli(
        "mount_lookup_kv1", 200, "sys/internal/ui/mounts/kv1", "kv", "get", "-mount=kv1", ENTRY
    )
    recorder.ask("kv1_write_values", 204, "PUT", "kv1/harness/values", VALUES)
    recorder.ask("kv1_read_values", 200, "GET", "kv1/harness/values")
    recorder.ask("mount_lookup_no_options", 200, "GET", "sys/internal/ui/mounts/sys")


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
    recorder.ask(
        "approle_login_without_secret_id",
        200,
        "PUT",
        "auth/approle/login",
        {"role_id": plain},
        token="",
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
    recorder.ask("unwrap", 200, "PUT", "sys/wrapping/unwrap", token=wrapping)
    recorder.ask(
        "wrap_lookup_used", 400, "PUT", "sys/wrapping/lookup", {"token": wrapping}, token=""
    )
    recorder.ask("unwrap_used", 400, "PUT", "sys/wrapping/unwrap", token=wrapping)
    foreign = Exchange(
        "PUT",
        "/v1/sys/wrapping/wrap",
        {"X-Vault-Token": vault.root_token, "X-Vault-Wrap-TTL": "60s"},
        b'{"secret_id":"x"}',
    ).send(vault)
    foreign = json.loads(foreign.answer)["wrap_info"]["token"]
    recorder.ask(
        "wrap_lookup_foreign", 200, "PUT", "sys/wrapping/lookup", {"token": foreign}, token=""
    )


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
    recorder.ask(
        "token_lookup_invalid",
        403,
        "GET",
        "auth/token/lookup-self",
        token="hvs.doesnotexistdoesnotexist",
    )
    recorder.ask(
        "token_renew", 200, "PUT", "auth/token/renew-self", {"increment": 3600}, token=token
    )
    recorder.ask("token_renew_default", 200, "PUT", "auth/token/renew-self", {}, token=token)
    recorder.ask("token_renew_root", 400, "PUT", "auth/token/renew-self", {})
    recorder.ask(
        "capabilities_self",
        200,
        "PUT",
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
    recorder.ask("token_revoke_invalid", 403, "PUT", "auth/token/revoke-self", token=token)


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
    recorder.ask("database_creds_down", 500, "GET", "database/creds/down")
    recorder.ask("database_creds_forbidden", 403, "GET", "database/creds/app", token=token)
    made = vault.api("GET", "database/creds/app")["lease_id"]
    recorder.cli("lease_renew", 200, "sys/leases/renew", "lease", "renew", "-increment=3600", made)
    recorder.ask("lease_revoke", 204, "PUT", "sys/leases/revoke", {"lease_id": made})
    vault.api("PUT", "sys/leases/revoke", {"lease_id": made, "sync": True})
    recorder.ask("lease_renew_gone", 400, "PUT", "sys/leases/renew", {"lease_id": made})


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
