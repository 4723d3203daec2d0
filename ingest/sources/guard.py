"""Web requests that never reach private addresses, wherever a name or a redirect leads.

Knows nothing about pages.
"""

import ipaddress
import socket
from collections.abc import Callable

import httpx


class Forbidden(httpx.TransportError):
    """The address is private, or no web address at all."""


class GuardedTransport(httpx.HTTPTransport):
    """Connects to the very address that was checked, so that a second look-up cannot differ."""

    def __init__(self, look_up: Callable[[str, int], str] | None = None) -> None:
        """`look_up` gives the address of a host and port, or raises Forbidden."""
        super().__init__()
        self._look_up = look_up or public_address

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, unless it leads to a private address; raises Forbidden."""
        host = request.url.host
        if request.url.scheme not in {"http", "https"}:
            raise Forbidden(f"{request.url.scheme}: is not read.")
        address = self._look_up(host, request.url.port or 443)
        request.url = request.url.copy_with(host=address)
        request.extensions["sni_hostname"] = host
        return super().handle_request(request)


def public_address(host: str, port: int) -> str:
    """Give an address of a host; raises Forbidden when any of its addresses is private."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpx.ConnectError(f"{host} is not known.") from error
    addresses = [str(item[4][0]) for item in found]
    for address in addresses:
        ip = ipaddress.ip_address(address.partition("%")[0])
        inside = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None) or ip
        if not inside.is_global or inside.is_multicast:
            raise Forbidden(
                f"{host} leads to the private address {address}."
                " Set allow_private = true for that source if it is meant."
            )
    return addresses[0]
