"""Web requests that never reach private addresses, wherever a name or a redirect leads.

Knows nothing about pages.
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence

import httpx

Resolve = Callable[[str, int], Sequence[str]]
"""Gives the IP addresses of a host and port; raises OSError when there are none."""

_PUBLIC_V6 = ipaddress.ip_network("2000::/3")  # all that is assigned to the public (RFC 4291)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # an IPv4 address in its last 32 bits (RFC 6052)
_RELAYS_V4 = ipaddress.ip_network("192.88.99.0/24")  # leads into 6to4 (RFC 7526)
_ISATAP = (0x00005EFE, 0x02005EFE)  # before an IPv4 address, in the last 64 bits (RFC 5214)


class Forbidden(httpx.TransportError):
    """The address is private, or no web address at all."""


class GuardedTransport(httpx.BaseTransport):
    """Connects to the very address that was checked, so that a second look-up cannot differ.

    The Host header and the name that a certificate must bear stay those of the request.
    """

    def __init__(self, resolve: Resolve | None = None) -> None:
        self._resolve = resolve or resolved
        self._context = httpx.create_ssl_context(trust_env=False)
        self._host = ""
        self._transport = httpx.HTTPTransport(verify=self._context, trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request without a body, unless it leads to a private address; raises Forbidden."""
        host = request.url.host
        if request.url.scheme not in {"http", "https"}:
            raise Forbidden(f"{request.url.scheme}: is not read.")
        default = 443 if request.url.scheme == "https" else 80
        addresses = public_addresses(host, request.url.port or default, self._resolve)
        if host != self._host:
            # Hosts may share an address: none gets a connection that was made for another.
            self.close()
            self._host = host
            self._transport = httpx.HTTPTransport(verify=self._context, trust_env=False)
        request.extensions["sni_hostname"] = host
        for address in addresses[:-1]:
            try:
                return self._send(request, address)
            except httpx.ConnectError:
                continue
        return self._send(request, addresses[-1])

    def _send(self, request: httpx.Request, address: str) -> httpx.Response:
        request.url = request.url.copy_with(host=address)
        return self._transport.handle_request(request)

    def close(self) -> None:
        self._transport.close()


def resolved(host: str, port: int) -> list[str]:
    """Look a host up as this machine does; raises OSError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"{host} is no name.") from error
    return list(dict.fromkeys(str(item[4][0]) for item in found))


def public_addresses(host: str, port: int, resolve: Resolve = resolved) -> list[str]:
    """Give the addresses of a host; raises Forbidden when any of them is private."""
    try:
        addresses = list(resolve(host, port))
    except OSError as error:
        raise httpx.ConnectError(f"{host} is not known.") from error
    if not addresses:
        raise httpx.ConnectError(f"{host} has no address.")
    for address in addresses:
        if not is_public(address):
            raise Forbidden(
                f"{host} leads to the private address {address}."
                " Set allow_private = true for that source if it is meant."
            )
    return addresses


def is_public(address: str) -> bool:
    """Tell whether an IP address is for everyone, also the IPv4 address that one of IPv6 carries."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not ip.is_multicast and ip not in _RELAYS_V4
    if (ip.ipv4_mapped or ip in _NAT64) and _is_public_v4(int(ip) & 0xFFFFFFFF):
        return True
    if ip not in _PUBLIC_V6 or not ip.is_global or ip.teredo:
        return False
    if ip.sixtofour and not is_public(str(ip.sixtofour)):
        return False
    is_isatap = int(ip) >> 32 & 0xFFFFFFFF in _ISATAP
    return not is_isatap or _is_public_v4(int(ip) & 0xFFFFFFFF)


def _is_public_v4(number: int) -> bool:
    return is_public(str(ipaddress.IPv4Address(number)))
