"""Servers on loopback that do what a real Vault cannot be made to do at will."""

import dataclasses
import http.client
import http.server
import re
import socket
import threading
import time

from .parse import Failure


@dataclasses.dataclass
class Rule:
    """What happens to requests whose method and path match."""

    method: str
    pattern: str
    delay: float = 0.0
    status: int = 0
    times: int = -1  # how often it applies; negative: always
    headers: list = dataclasses.field(default_factory=list)
    body: str = '{"errors":[]}'


def matches(method, pattern, request):
    """Whether REQUEST (method, path) is meant; METHOD "-" is any."""
    return method in ("-", request[0]) and re.search(pattern.lstrip("/"), request[1]) is not None


def parse_rules(words):
    """Rules from a `proxy` directive's words."""
    rules = []
    index = 0
    while index < len(words):
        if index + 1 >= len(words) or "=" in words[index]:
            raise Failure("proxy METHOD /PATTERN delay=S|status=N ...")
        rule = Rule(words[index], words[index + 1])
        index += 2
        while index < len(words) and "=" in words[index]:
            name, value = words[index].split("=", 1)
            if name == "header":
                rule.headers.append(tuple(value.split(":", 1)))
            elif name == "body":
                rule.body = value
            else:
                setattr(rule, name, {"delay": float, "status": int, "times": int}[name](value))
            index += 1
        rules.append(rule)
    return rules


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """A client that goes away is nothing to tell."""


class Proxy:
    """A plain HTTP server in front of `upstream` (host:port); `requests` holds (method, path) of
    all it saw.
    """

    def __init__(self, upstream, rules):
        self.requests = []
        self._rules, self._lock = rules, threading.Lock()
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """One connection."""

            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self):
                """One request."""
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                rule = proxy.rule_for((self.command, self.path.removeprefix("/v1/")))
                if rule and rule.delay:
                    time.sleep(rule.delay)
                if rule and rule.status:
                    self.reply(rule.status, rule.headers, rule.body.encode())
                    return
                connection = http.client.HTTPConnection(upstream, timeout=60)
                headers = {
                    name: value
                    for name, value in self.headers.items()
                    if name.lower() not in ("connection", "content-length")
                }
                connection.request(self.command, self.path, body or None, headers)
                answer = connection.getresponse()
                content = answer.read()
                kept = [
                    (name, value)
                    for name, value in answer.getheaders()
                    if name.lower() not in ("content-length", "connection", "transfer-encoding")
                ]
                self.reply(answer.status, kept, content)
                connection.close()

            def reply(self, status, headers, content):
                """Sends an answer."""
                self.send_response_only(status)
                for name, value in headers:
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content if status != 204 else b"")

            def log_message(self, format, *args):  # pylint: disable=redefined-builtin
                """Nothing."""

            do_GET = do_PUT = do_POST = do_LIST = do_DELETE = do_PATCH = handle_any

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def rule_for(self, request):
        """Notes REQUEST; the first rule that applies to it, or None."""
        with self._lock:
            self.requests.append(request)
            for rule in self._rules:
                if rule.times != 0 and matches(rule.method, rule.pattern, request):
                    rule.times -= 1
                    return rule
        return None

    def close(self):
        """Ends the server."""
        self._server.shutdown()
        self._server.server_close()


class Listener:
    """Takes connections and says nothing ("silent") or nonsense ("garbage")."""

    def __init__(self, kind):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._garbage = kind == "garbage"
        self._open = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._open.append(connection)
            if self._garbage:
                connection.sendall(b"\x00\x01 no protocol that anybody knows\r\n\r\n")
                connection.shutdown(socket.SHUT_WR)

    def close(self):
        """Ends the server."""
        self._socket.close()
        for connection in self._open:
            connection.close()
