"""The health and metrics server in the parent process of a worker and of beat: one daemon thread, no Django."""

import logging
import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from rowlock.conf import HealthAddress
from rowlock.health.exposition import exposition
from rowlock.health.report import Reporter, answer

logger = logging.getLogger(__name__)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, reporter: Reporter) -> None:
        self.reporter = reporter
        if socket.has_dualstack_ipv6():
            self.address_family = socket.AF_INET6
        super().__init__(("", port), _Handler)

    def server_bind(self) -> None:
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        if self.path == "/metrics":
            self._send(200, *exposition(self.headers.get("Accept", "")))
            return
        report = self.server.reporter()
        satisfied = answer(self.path, report)
        if satisfied is None:
            self._send(404, "text/plain", b"there are /livez, /readyz, /startupz and /metrics\n")
        else:
            self._send(200 if satisfied else 503, "text/plain", f"{report.detail}\n".encode())

    def _send(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        logger.debug(format, *args)


def serve(address: HealthAddress, reporter: Reporter) -> None:
    """Answer at `address` from a thread of this process until it ends.

    A port that was chosen and is taken raises OSError; the default port is done without, with a warning, so that
    two workers can be tried on one machine.
    """
    try:
        server = _Server(address.port, reporter)
    except OSError as error:
        if address.chosen:
            raise OSError(
                error.errno, f"port {address.port} from ROWLOCK_PORT cannot be served: {error.strerror}"
            ) from error
        logger.warning("no health and metrics: port %s is taken (set ROWLOCK_PORT)", address.port)
        return
    # A pool child inherits the listening socket and would keep the port after its parent has died.
    os.register_at_fork(after_in_child=server.socket.close)
    threading.Thread(target=server.serve_forever, name="rowlock-health", daemon=True).start()
