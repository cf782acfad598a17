"""Which addresses a task may connect to: those of the public internet."""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from example.tasks.errors import BadInput

Address = IPv4Address | IPv6Address

_NAT64 = IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = IPv6Network("2000::/3")


def resolve(host: str, port: int, *, allow_private: bool) -> list[Address]:
    """The addresses of `host`; refuses the host if any of them is not public."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise BadInput(f"The host {host} cannot be resolved.") from None
    addresses = list(dict.fromkeys(ip_address(entry[4][0]) for entry in found))
    for address in addresses:
        if not allow_private and not is_public(address):
            raise BadInput(f"{host} is at {address}, which is not a public address; such pages are not fetched.")
    return addresses


def is_public(address: Address) -> bool:
    """False for private, loopback, link-local, multicast, shared and reserved addresses."""
    inner = _ipv4_inside(address)
    if inner is not None:
        return is_public(inner)
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not address.is_multicast


def _ipv4_inside(address: Address) -> IPv4Address | None:
    """The IPv4 address that packets for an IPv6 address end up at, where there is one."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
