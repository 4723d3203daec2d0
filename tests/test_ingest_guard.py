"""Requests to strangers' addresses: private ones are never reached, by no spelling and no trick."""

from collections.abc import Iterator

import httpx
import pytest

from ingest.sources.guard import Forbidden, GuardedTransport, is_public, public_addresses
from tests.fake_http import FakeHttp, Reply, fake_http


@pytest.fixture
def web() -> Iterator[FakeHttp]:
    with fake_http() as fake:
        yield fake


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1", "127.0.0.1", "0.0.0.0", "169.254.169.254", "100.64.0.1", "192.168.1.1",
        "224.0.0.1", "255.255.255.255", "192.88.99.1", "::", "::1", "::127.0.0.1", "::8.8.8.8",
        "::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1",
        "64:ff9b::a9fe:a9fe", "64:ff9b:1::8.8.8.8", "64:ff9b:1:ffff::10.0.0.1", "fec0::1",
        "fe80::1", "fe80::1%eth0", "fd00::1", "fc00::1", "ff02::1", "2002:7f00:1::1",
        "2002:a00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "100::1",
        "2606:4700::5efe:10.0.0.1", "2606:4700::200:5efe:127.0.0.1", "5f00::1", "no address",
    ],
)  # fmt: skip
def test_private_addresses_are_known(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(Forbidden, match="private"):
        public_addresses("name.example", 80, lambda host, port: ["1.1.1.1", address])


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"],
)
def test_public_addresses_are_let_through(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://2130706433/", "http://0x7f000001/", "http://017700000001/",
        "http://127.1/", "http://0x7f.1/", "http://0177.0.0.1/", "http://0/", "http://[::1]/",
        "http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://localhost/",
        "http://localhost./", "http://public.example@127.0.0.1/", "http://1.1.1.1:80@127.0.0.1/",
        "http://%31%32%37.0.0.1/", "file:///etc/passwd", "ftp://1.1.1.1/",
    ],
)  # fmt: skip
def test_no_spelling_of_a_private_address_is_asked(url: str) -> None:
    with (
        httpx.Client(transport=GuardedTransport(), trust_env=False) as client,
        pytest.raises((httpx.TransportError, httpx.InvalidURL)) as error,
    ):
        client.get(url)
    # Either it was looked up and refused, or it is no name that anyone knows.
    assert isinstance(error.value, Forbidden | httpx.InvalidURL) or "not known" in str(error.value)


def test_a_name_is_looked_up_once_and_that_address_is_used(web: FakeHttp) -> None:
    """An answer that changes between the check and the connection is of no use."""
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["1.1.1.1"] if len(asked) == 1 else ["127.0.0.1"]

    connected: list[str] = []

    class Noting(GuardedTransport):
        def _send(self, request: httpx.Request, address: str) -> httpx.Response:
            connected.append(address)
            return httpx.Response(200, request=request)

    with httpx.Client(transport=Noting(resolve), trust_env=False) as client:
        client.get("http://rebind.example/")
        with pytest.raises(Forbidden):
            client.get("http://rebind.example/")
    assert (asked, connected) == (["rebind.example"] * 2, ["1.1.1.1"])


def test_the_host_asked_for_stays_and_the_next_address_is_tried(web: FakeHttp) -> None:
    """The checks are the guard's; a server of this machine plays the public one."""

    class Near(GuardedTransport):
        def _send(self, request: httpx.Request, address: str) -> httpx.Response:
            if address == "1.1.1.1":
                raise httpx.ConnectError("refused")
            assert request.extensions["sni_hostname"] == "docs.example"
            return super()._send(request, "127.0.0.1")

    web.routes["/a"] = Reply("text")
    port = web.url.rpartition(":")[2]
    transport = Near(lambda host, port: ["1.1.1.1", "8.8.8.8"])
    with httpx.Client(transport=transport, trust_env=False) as client:
        assert client.get(f"http://docs.example:{port}/a").text == "text"
    assert web.asked[0].headers["host"] == f"docs.example:{port}"
