"""Reading when a server's certificate ends, over real TLS."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rowlock.collector import certificate
from rowlock.collector.certificate import SSL_REQUEST, expires, not_after

#: Certificates write their end in one form before 2050, and in another from then on.
DAYS = [1000, 20000]


def made(folder: Path, days: int) -> Path:
    """A key and a certificate that its own key signed, in one file."""
    file, certificate_file = folder / "server.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=rowlock",
         "-keyout", file, "-out", certificate_file, "-days", str(days)],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_text(file.read_text() + certificate_file.read_text())
    return file


def is_in(days: int, moment: float) -> bool:
    return abs(moment - time.time() - days * 86400) < 60


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[socket.socket, ssl.SSLContext]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made(tmp_path, DAYS[0]))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener, context


def serve_one(listener: socket.socket, context: ssl.SSLContext, *, like_postgres: bool) -> threading.Thread:
    def serve() -> None:
        client, _ = listener.accept()
        with client:
            if like_postgres:
                assert client.recv(8) == SSL_REQUEST
                client.sendall(b"S")
            with context.wrap_socket(client, server_side=True) as secured:
                secured.recv(1)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


@pytest.mark.parametrize("days", DAYS)
def test_the_end_is_read_in_both_forms(tmp_path: Path, days: int) -> None:
    made(tmp_path, days)

    der = ssl.PEM_cert_to_DER_cert((tmp_path / "certificate.pem").read_text())

    assert is_in(days, not_after(der))


@pytest.mark.parametrize("like_postgres", [False, True], ids=["at once", "as postgres"])
def test_a_server_that_nobody_trusts_tells_its_end_too(
    server: tuple[socket.socket, ssl.SSLContext], like_postgres: bool
) -> None:
    thread = serve_one(*server, like_postgres=like_postgres)
    port = server[0].getsockname()[1]

    found = expires("127.0.0.1", port, prepare=certificate.postgres if like_postgres else None)

    thread.join()
    assert is_in(DAYS[0], found)


@pytest.mark.parametrize("der", [b"", b"\x30", b"\x30\x03\x02\x01\x01", b"not a certificate"])
def test_what_is_no_certificate_is_an_error_and_no_crash(der: bytes) -> None:
    with pytest.raises(ValueError, match="certificate"):
        not_after(der)
