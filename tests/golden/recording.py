"""What record.py records with: exchanges made fit for the tree, and the ways to make them."""

import contextlib
import http.client
import http.server
import json
import pathlib
import re
import ssl
import subprocess
import sys
import threading
import urllib.parse

GOLDEN = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(GOLDEN.parent.parent / "tools" / "servers"))

# pylint: disable=wrong-import-position
import servers  # noqa: E402

REQUEST_HEADERS = ("X-Vault-Token", "X-Vault-Namespace", "X-Vault-Wrap-Ttl")
RESPONSE_HEADERS = ("Content-Type", "Location", "Retry-After")

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
    (r"( is \d+, got )\d+", r"\g<1>2000000"),
    (r'("clock_skew_ms":)-?\d+', r"\g<1>0"),
    # Capabilities stand twice in an answer, the first time in any order.
    (r'(\{)(?:"[^"]+":\["\w+"\],)+("request_id")', r"\1\2"),
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

    def get(self, name, expect, path, **more):
        """Records a GET; see ask."""
        self.ask(name, expect, "GET", path, **more)

    def put(self, name, expect, path, body=None, **more):
        """Records a PUT; see ask."""
        self.ask(name, expect, "PUT", path, body, **more)

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
