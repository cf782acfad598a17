"""HTTP that reaches only public addresses. Imported only by the task that fetches, for httpx is large."""

from ipaddress import ip_address

import httpx

from example.tasks.addresses import Address, resolve
from example.tasks.errors import BadInput

PORTS = {"http": 80, "https": 443}


class GuardedTransport(httpx.BaseTransport):
    """Connects to the very address that was checked, for every hop of a redirect.

    Checking a name and then connecting to the name would resolve it twice, and the second answer may be another.
    """

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        # A kept connection could be reused for another name at the same address, whose certificate nobody checked.
        self._inner = httpx.HTTPTransport(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        port = self._checked_port(url)
        addresses = resolve(url.host, port, allow_private=self._allow_private)
        for address in addresses[:-1]:
            try:
                return self._inner.handle_request(_pinned(request, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # such as an IPv6 address where there is no IPv6
        return self._inner.handle_request(_pinned(request, addresses[-1]))

    def close(self) -> None:
        self._inner.close()

    def _checked_port(self, url: httpx.URL) -> int:
        if url.scheme not in PORTS:
            raise BadInput(f"{url} is not an http or https address.")
        if url.userinfo:
            raise BadInput("Addresses with a user name or password are not fetched.")
        port = url.port or PORTS[url.scheme]
        if port not in PORTS.values() and not self._allow_private:
            raise BadInput(f"Port {port} is not fetched, only 80 and 443.")
        return port


def _pinned(request: httpx.Request, address: Address) -> httpx.Request:
    """The same request, to `address`: Host header and certificate stay those of the name."""
    extensions = dict(request.extensions)
    if not _is_address(request.url.host):
        extensions["sni_hostname"] = request.url.host
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions=extensions,
    )


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
