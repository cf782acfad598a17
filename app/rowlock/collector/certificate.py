"""When the certificate of a server expires, without judging it: that is what its clients do."""

import socket
import ssl
import struct
from collections.abc import Callable
from datetime import UTC, datetime

#: Seconds for each step of the handshake.
TIMEOUT = 3.0
#: Asks a Postgres server to talk TLS from here on (https://www.postgresql.org/docs/current/protocol-message-formats.html).
SSL_REQUEST = struct.pack("!II", 8, 80877103)

_UTC_TIME, _GENERALIZED_TIME, _VERSION = 0x17, 0x18, 0xA0


def postgres(connection: socket.socket) -> None:
    """To be done before the handshake with a Postgres server."""
    connection.sendall(SSL_REQUEST)
    if connection.recv(1) != b"S":
        raise OSError("the server does not speak TLS")


def expires(host: str, port: int, *, prepare: Callable[[socket.socket], None] | None = None) -> float:
    """Unix time at which the certificate of the server at `host` and `port` ends. Raises OSErrors, ValueErrors."""
    # Nothing is sent to the server and only a date is taken from it.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((host, port), timeout=TIMEOUT) as connection:
        if prepare is not None:
            prepare(connection)
        with context.wrap_socket(connection, server_hostname=host) as secured:
            der = secured.getpeercert(binary_form=True)
    if der is None:
        raise ValueError(f"{host}:{port} showed no certificate")
    return not_after(der)


def not_after(der: bytes) -> float:
    """The end of a certificate's validity (RFC 5280, section 4.1), in Unix time; the standard library reads none."""
    _, certificate, _ = _element(der)
    _, rest, _ = _element(certificate)
    tag, _, after = _element(rest)
    if tag == _VERSION:
        rest = after
    # The serial number, the algorithm and the issuer.
    for _ in range(3):
        _, _, rest = _element(rest)
    _, validity, _ = _element(rest)
    _, _, rest = _element(validity)
    tag, text, _ = _element(rest)
    if tag == _UTC_TIME:
        # Years below 50 are of this century.
        text = (b"20" if text[:2] < b"50" else b"19") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("the certificate has no end of validity")
    return datetime.strptime(text.decode(), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """The tag and content of the first DER element, and what comes after it."""
    if len(data) < 2:
        raise ValueError("the certificate ends too soon")
    tag, length, start = data[0], data[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start])
    return tag, data[start : start + length], data[start + length :]
