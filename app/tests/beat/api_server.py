"""Leases as the API server of Kubernetes keeps them, over real HTTP."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rowlock import kubernetes

LEASES = "/apis/coordination.k8s.io/v1/namespaces/shop/leases"


class ApiServer(ThreadingHTTPServer):
    """Answers for the Leases of the namespace `shop`."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.leases: dict[str, dict[str, Any]] = {}
        self.version = 0
        self.refusal = 0
        self.requests: list[str] = []
        self.turn = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def keep(self, lease: dict[str, Any]) -> dict[str, Any]:
        self.version += 1
        kept = {**lease, "metadata": {**lease["metadata"], "resourceVersion": str(self.version)}}
        self.leases[lease["metadata"]["name"]] = kept
        return kept

    def caller(self, account: Path) -> Any:
        """What a pod of the cluster calls the API server with."""
        (account / "token").write_text("secret\n")
        return partial(kubernetes.call, server=self.url, account=account, patience=1.0)


class _Handler(BaseHTTPRequestHandler):
    server: ApiServer

    def do_GET(self) -> None:
        lease = self.server.leases.get(self._name())
        self._answer(*((404, {}) if lease is None else (200, lease)))

    def do_POST(self) -> None:
        lease = self._body()
        with self.server.turn:
            exists = lease["metadata"]["name"] in self.server.leases
            self._answer(*((409, {}) if exists else (201, self.server.keep(lease))))

    def do_PUT(self) -> None:
        lease = self._body()
        with self.server.turn:
            kept = self.server.leases.get(self._name())
            if kept is None:
                self._answer(404, {})
            elif lease["metadata"]["resourceVersion"] != kept["metadata"]["resourceVersion"]:
                self._answer(409, {})
            else:
                self._answer(200, self.server.keep(lease))

    def _name(self) -> str:
        return self.path.removeprefix(f"{LEASES}/")

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, status: int, answer: dict[str, Any]) -> None:
        self.server.requests.append(f"{self.command} {self.path}")
        is_known = self.headers["Authorization"] == "Bearer secret"
        body = json.dumps(answer).encode()
        self.send_response(self.server.refusal or (status if is_known else 401))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Tests are quiet."""


@contextmanager
def api_server() -> Iterator[ApiServer]:
    with ApiServer() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
