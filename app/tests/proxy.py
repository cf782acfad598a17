"""A proxy between this machine's processes and one of the real services, to take that service away from them."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit


class Proxy:
    """Passes bytes between clients and a service until it is told to be silent, or to cut the connections."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._speaking = threading.Event()
        self._speaking.set()
        self._is_cut = False
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def fall_silent(self) -> None:
        """Take everything and pass nothing on."""
        self._speaking.clear()

    def cut(self) -> None:
        """Break all connections, and every new one."""
        self._is_cut = True
        for connection in self._sockets:
            _break(connection)
        self._sockets.clear()

    def mend(self) -> None:
        """Serve again."""
        self._is_cut = False
        self._speaking.set()

    def close(self) -> None:
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._is_cut:
                _break(client)
                continue
            try:
                server = socket.create_connection(self._target)
            except OSError:
                _break(client)
                continue
            self._sockets += [client, server]
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self._speaking.is_set():
                    target.sendall(data)
        _break(source)
        _break(target)


@contextmanager
def proxied(url: str) -> Iterator[tuple[Proxy, str]]:
    """A proxy to the service at `url`, and the URL by which to use it."""
    parts = urlsplit(url)
    assert parts.hostname, f"{url} names no host"
    assert parts.port, f"{url} names no port"
    proxy = Proxy(parts.hostname, parts.port)
    user, at, _ = parts.netloc.rpartition("@")
    try:
        yield proxy, parts._replace(netloc=f"{user}{at}127.0.0.1:{proxy.port}").geturl()
    finally:
        proxy.close()


def _break(connection: socket.socket) -> None:
    # `shutdown` first: closing alone does not wake a thread that reads from it.
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
