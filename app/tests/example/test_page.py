"""Fetching pages, from a real server on loopback, and not fetching what is private."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any

import pytest
from pytest_django import Settings

from example.tasks.addresses import is_public
from example.tasks.errors import BadInput
from example.tasks.page import LARGEST_PAGE, fetch
from tests.example.conftest import Run

Answer = tuple[int, dict[str, str], bytes]
HTML = {"Content-Type": "text/html; charset=utf-8"}
PAGE = b"""<html><head><title> A  page </title></head><body>
<a href="/one#part">1</a> <a href="two">2</a> <a href="https://other.example/">3</a> <a href="two">again</a>
<a href="mailto:a@b.example">no</a> <a href="javascript:x()">no</a> <a href="http://[bad">no</a> <a>no</a>
</body></html>"""


class Server:
    """A web server on loopback that gives the answers it was told and notes what it was asked."""

    def __init__(self) -> None:
        server = self
        self.answers: dict[str, Answer] = {}
        self.requests: list[tuple[str, str]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.requests.append((self.headers["Host"], self.path))
                status, headers, body = server.answers.get(self.path, (404, HTML, b""))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                with suppress(ConnectionError):  # a client that had enough
                    self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def answer(self, path: str, body: bytes, headers: dict[str, str] = HTML, status: int = 200) -> str:
        self.answers[path] = (status, headers, body)
        return self.url + path


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    settings.EXAMPLE_PAGE_ALLOW_PRIVATE = True
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
    thread.join()


def test_title_and_absolute_links_are_found(run: Run, server: Server) -> None:
    url = server.answer("/folder/page", PAGE)

    result = run(fetch, url)

    assert result == {
        "url": url,
        "title": "A  page",
        "links": [f"{server.url}/one", f"{server.url}/folder/two", "https://other.example/"],
        "links_found": 3,
    }


def test_the_base_of_a_page_is_respected(run: Run, server: Server) -> None:
    url = server.answer("/", b'<base href="https://base.example/x/"><a href="y">y</a>')

    assert run(fetch, url)["links"] == ["https://base.example/x/y"]


def test_no_more_than_two_hundred_links_are_returned(run: Run, server: Server) -> None:
    url = server.answer("/", b"".join(b'<a href="/%d">x</a>' % number for number in range(300)))

    result = run(fetch, url)

    assert (len(result["links"]), result["links_found"]) == (200, 300)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("<title>Füße</title>".encode("latin-1"), "text/html; charset=iso-8859-1"),
        ('<meta charset="iso-8859-1"><title>Füße</title>'.encode("latin-1"), "text/html"),
        ("<title>Füße</title>".encode(), "text/html; charset=nonsense"),
        ('<?xml version="1.0"?><html><title>Füße</title></html>'.encode(), "application/xhtml+xml"),
    ],
)
def test_encodings_are_understood(run: Run, server: Server, body: bytes, content_type: str) -> None:
    url = server.answer("/", body, {"Content-Type": content_type})

    assert run(fetch, url)["title"] == "Füße"


def test_redirects_are_followed(run: Run, server: Server) -> None:
    server.answer("/there", b"<title>There</title>")
    url = server.answer("/", b"", {"Location": "/there"}, 302)

    result = run(fetch, url)

    assert (result["url"], result["title"]) == (f"{server.url}/there", "There")


def test_a_name_is_asked_for_by_its_name(run: Run, server: Server) -> None:
    server.answer("/", b"<title>Named</title>")

    run(fetch, f"http://localhost:{server.port}/")

    assert server.requests == [(f"localhost:{server.port}", "/")]


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda server: server.answer("/", b"x", {"Content-Type": "text/plain"}), "not a web page but text/plain"),
        (lambda server: server.answer("/", b"x", {}), "of no stated type"),
        (lambda server: server.answer("/", b"", {"Location": "/"}, 302), "redirects more than 5 times"),
        (lambda server: server.answer("/", b"", {"Location": "ftp://a.example/"}, 302), "ftp"),
        (lambda server: server.answer("/", b"", HTML, 500), "answers 500"),
        (lambda server: server.url + "/missing", "answers 404"),
        (lambda server: server.answer("/", b"x", {**HTML, "Content-Encoding": "gzip"}), "compressed"),
        (lambda server: server.answer("/", b"x" * (LARGEST_PAGE + 1)), "larger than 2 MiB"),
        (lambda server: server.answer("/", b"x", {**HTML, "Content-Length": "99"}), "cannot be fetched"),
        (lambda server: server.url.replace("//", "//user:password@"), "user name or password"),
        (lambda _: "http://127.0.0.1:1/", "cannot be fetched"),
        (lambda _: "http://nowhere.invalid/", "cannot be resolved"),
    ],
    ids=[
        "type",
        "no type",
        "loop",
        "ftp",
        "500",
        "404",
        "gzip",
        "large",
        "cut",
        "password",
        "refused",
        "unknown",
    ],
)
def test_what_is_no_page_is_refused_with_the_reason(
    run: Run, server: Server, prepare: Callable[[Server], str], reason: str
) -> None:
    with pytest.raises(BadInput, match=reason):
        run(fetch, prepare(server))


def test_a_page_that_never_ends_is_given_up(run: Run, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("example.tasks.page.SECONDS", -1)

    with pytest.raises(BadInput, match="takes longer than"):
        run(fetch, server.answer("/", PAGE))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "ftp://a.example/",
        "file:///etc/passwd",
        "http://",
        "http://[::1",
        7,
        None,
        "http://" + "x" * 2000,
    ],
)
def test_what_is_no_web_address_is_refused(run: Run, url: Any) -> None:
    with pytest.raises(BadInput, match="url must be an http or https address"):
        run(fetch, url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f.0.0.1/",
        "http://0.0.0.0/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "https://[fd00::1]/",
    ],
)
def test_private_addresses_are_refused_however_they_are_written(run: Run, url: str) -> None:
    with pytest.raises(BadInput, match="not a public address"):
        run(fetch, url)


def test_other_ports_are_refused(run: Run) -> None:
    with pytest.raises(BadInput, match="Port 8080 is not fetched"):
        run(fetch, "http://example.com:8080/")


def test_a_redirect_to_a_private_address_is_refused(
    run: Run, server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("example.tasks.addresses.is_public", lambda address: address == ip_address("127.0.0.1"))
    monkeypatch.setattr("example.tasks.guarded_http.PORTS", {"http": server.port, "https": 443})
    settings.EXAMPLE_PAGE_ALLOW_PRIVATE = False
    url = server.answer("/", b"", {"Location": f"http://127.0.0.2:{server.port}/secret"}, 302)

    with pytest.raises(BadInput, match=r"127\.0\.0\.2 is at 127\.0\.0\.2, which is not a public address"):
        run(fetch, url)
    assert [path for _, path in server.requests] == ["/"]


def test_a_name_is_resolved_once_and_that_address_is_used(
    run: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo
    answers = ["127.0.0.1", "10.0.0.1"]

    def rebinding(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        return look_up(answers.pop(0) if host == "rebind.example" else host, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    server.answer("/", b"<title>Rebound</title>")

    run(fetch, f"http://rebind.example:{server.port}/")

    assert answers == ["10.0.0.1"]
    assert server.requests == [(f"rebind.example:{server.port}", "/")]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("100.64.0.1", False),  # carrier-grade NAT
        ("192.168.1.1", False),
        ("172.16.0.1", False),
        ("224.0.0.1", False),  # multicast
        ("240.0.0.1", False),  # reserved
        ("255.255.255.255", False),
        ("192.0.2.1", False),  # documentation
        ("::", False),
        ("fe80::1", False),
        ("fec0::1", False),  # site-local
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),  # IPv4 inside IPv6
        ("64:ff9b::a00:1", False),  # NAT64 of 10.0.0.1
        ("64:ff9b::5db8:d70e", True),
        ("2002:7f00:1::", False),  # 6to4 of 127.0.0.1
        ("2001:0:4136:e378:8000:63bf:f5ff:fffe", False),  # Teredo of 10.0.0.1
    ],
)
def test_only_addresses_of_the_public_internet_are_public(address: str, public: bool) -> None:
    assert is_public(ip_address(address)) is public
