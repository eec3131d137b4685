"""Request limits, trusted proxies and Host names, as the web process has them, around an application that tells."""

import itertools
from types import SimpleNamespace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from fleetkeeper.identity.access import client_address
from fleetkeeper.kit import http_shell
from fleetkeeper.kit.http_shell import HttpShell, RequestLimits, credential_of
from fleetkeeper.kit.shares import Shares
from fleetkeeper.settings.web import WebSettings

AGENT_PATH = "/api/v1/agent/config"
TOKEN = "Bearer fkt_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"


@pytest.fixture(autouse=True)
def still(monkeypatch):
    """The limits' clock stands: what a slow machine takes over fifty requests would win it another one."""
    clock = SimpleNamespace(monotonic=lambda: 1000.0)
    monkeypatch.setattr(http_shell, "time", clock)
    return clock


async def tell(request) -> JSONResponse:
    status = 401 if request.headers.get("authorization") == "Bearer wrong" else 200
    return JSONResponse({"address": client_address(request), "scheme": request.url.scheme}, status)


def server(*, per_token: int = 20, per_address: int = 50, proxies: tuple[str, ...] = ()):
    """The shell as the web process builds it; returns how to make a client of an address."""
    limits = RequestLimits(
        per_token, per_address, uncounted_prefix="fkd", uncounted_paths=("/api/v1/agent/",)
    )
    inner = Starlette(routes=[Route("/{path:path}", tell, methods=["GET", "POST"])])
    shares = Shares(6, waiting=10, patience_seconds=10)
    app = HttpShell(
        inner,
        allowed_hosts=["localhost"],
        https=False,
        limits=limits,
        shares=shares,
        session_cookie="fleetkeeper",
    )
    trusted = [str(one) for one in WebSettings(trusted_proxies=list(proxies)).trusted_proxies]
    if trusted:
        app = ProxyHeadersMiddleware(app, trusted_hosts=trusted)

    def client(address: str, **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app, client=(address, 4711))
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=named)

    return client


async def passed(client: httpx.AsyncClient, path: str = "/x", most: int = 200) -> int:
    """How many requests are answered before the first 429, which is looked at."""
    for number in range(most):
        answer = await client.get(path)
        if answer.status_code == 429:
            assert answer.headers["content-type"] == "application/problem+json"
            assert 1 <= int(answer.headers["retry-after"]) <= 61
            assert answer.json()["status"] == 429
            assert answer.headers["x-request-id"]
            return number
    return most


class TestLimits:
    async def test_of_a_token_whatever_its_address(self):
        client = server()
        assert await passed(client("192.0.2.1", authorization=TOKEN)) == 20
        assert await passed(client("192.0.2.2", authorization=TOKEN)) == 0
        assert await passed(client("192.0.2.2", authorization=TOKEN + "b")) == 20

    async def test_of_an_address_whatever_its_tokens(self):
        client = server()
        sent = 0
        for number in range(20):
            sent += await passed(client("192.0.2.1", authorization=f"{TOKEN}{number}"), most=5)
        assert sent == 50
        assert await passed(client("192.0.2.2")) == 50

    async def test_of_a_network_of_ipv6(self):
        """Whoever holds one address holds 2^64 of them."""
        client = server()
        sent = 0
        for number in range(1, 100):
            sent += await passed(client(f"2001:db8::{number:x}"), most=3)
        assert sent == 50
        assert await passed(client("2001:db8:0:1::1")) == 50

    async def test_a_failed_authentication_counts_as_forty(self):
        client = server(per_address=100)
        assert await passed(client("192.0.2.1", authorization="Bearer wrong")) == 2

    async def test_a_fleet_behind_one_address_is_not_hit(self):
        client = server(per_address=50)
        for number in range(30):
            agent = client("192.0.2.1", authorization=f"Bearer fkd_{number:043}")
            assert await passed(agent, AGENT_PATH, most=10) == 10
        assert await passed(client("192.0.2.1")) == 50

    async def test_one_device_s_key_is_limited_like_a_token(self):
        client = server()
        assert await passed(client("192.0.2.1", authorization="Bearer fkd_a"), AGENT_PATH) == 20

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    async def test_what_looks_like_a_device_s_key_opens_no_way_around(self, scheme):
        """Anybody can write one: on doors of people it does not exempt from the address's limit."""
        client, sent = server(per_address=50), 0
        for number in range(100):
            sent += await passed(
                client("192.0.2.1", authorization=f"{scheme} fkd_{number}"), "/sign-in", most=1
            )
        assert sent == 50

    async def test_a_refused_host_is_refused_before_it_counts(self):
        client = server()
        async with client("192.0.2.1", host="evil.example") as rebound:
            for _ in range(60):
                assert (await rebound.get("/x")).status_code == 400
        assert await passed(client("192.0.2.1")) == 50

    async def test_the_wait_ends(self, still):
        moments = itertools.count(1000.0, 30.0)
        still.monotonic = lambda: next(moments)
        client = server(per_address=1, per_token=1)
        answers = [(await client("192.0.2.1").get("/x")).status_code for _ in range(4)]
        assert answers == [200, 429, 200, 429]


class TestTrustedProxies:
    PROXIES = ("10.0.0.0/8", "2001:db8:ffff::1")

    @pytest.mark.parametrize(
        ("peer", "forwarded", "address"),
        [
            # Nobody's word counts but a proxy's.
            ("198.51.100.9", "203.0.113.7", "198.51.100.9"),
            ("10.1.2.3", "203.0.113.7", "203.0.113.7"),
            ("2001:db8:ffff::1", "203.0.113.7", "203.0.113.7"),
            ("2001:db8:ffff::2", "203.0.113.7", "2001:db8:ffff::2"),
            # Several hops: the last one that is no proxy, however much the client wrote before it.
            ("10.1.2.3", "1.1.1.1, 203.0.113.7, 10.9.9.9", "203.0.113.7"),
            ("10.1.2.3", "10.0.0.1, 10.0.0.2, 203.0.113.7", "203.0.113.7"),
            ("10.1.2.3", "' OR 1=1, 203.0.113.7", "203.0.113.7"),
            ("10.1.2.3", "10.0.0.1, 10.0.0.2", "10.0.0.1"),
            # Ports, brackets and zones.
            ("10.1.2.3", "203.0.113.7:5123", "203.0.113.7"),
            ("10.1.2.3", "[2001:db8::5]:443", "2001:db8::5"),
            ("10.1.2.3", "2001:db8::5", "2001:db8::5"),
            ("10.1.2.3", "fe80::5%eth0", "fe80::5"),
            ("10.1.2.3", "::ffff:203.0.113.7", "203.0.113.7"),
            # What is no address is none, and never the proxy's.
            ("10.1.2.3", "unknown", ""),
            ("10.1.2.3", "203.0.113.7, <script>", ""),
            ("10.1.2.3", "", "10.1.2.3"),
        ],
    )
    async def test_whose_address_counts(self, peer, forwarded, address):
        client = server(proxies=self.PROXIES)(peer, x_forwarded_for=forwarded)
        assert (await client.get("/x")).json()["address"] == address

    async def test_by_itself_nobody_is_believed(self):
        client = server()("127.0.0.1", x_forwarded_for="203.0.113.7", x_forwarded_proto="https")
        assert (await client.get("/x")).json() == {"address": "127.0.0.1", "scheme": "http"}

    async def test_several_headers_are_one(self):
        client = server(proxies=self.PROXIES)("10.1.2.3")
        headers = [("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "203.0.113.7, 10.0.0.9")]
        assert (await client.get("/x", headers=headers)).json()["address"] == "203.0.113.7"

    @pytest.mark.parametrize(
        "header", ["x_real_ip", "true_client_ip", "cf_connecting_ip", "forwarded", "x_client_ip"]
    )
    async def test_other_headers_say_nothing(self, header):
        for peer in ("10.1.2.3", "198.51.100.9"):
            client = server(proxies=self.PROXIES)(peer, **{header: "203.0.113.7"})
            assert (await client.get("/x")).json()["address"] == peer

    async def test_the_limit_is_the_client_s_and_not_the_proxy_s(self):
        client = server(proxies=self.PROXIES)
        assert await passed(client("10.1.2.3", x_forwarded_for="203.0.113.7")) == 50
        assert await passed(client("10.1.2.3", x_forwarded_for="203.0.113.8")) == 50
        # A client that makes addresses up stays behind the one that the proxy saw.
        assert await passed(client("10.1.2.3", x_forwarded_for="1.2.3.4, 203.0.113.8")) == 0

    @pytest.mark.parametrize("wrong", ["*", "proxy.example", "10.0.0.1/8", "10.0.0.0/33", ""])
    def test_a_proxy_is_an_address_or_a_network(self, wrong):
        """A star would believe everybody, and a name nobody."""
        with pytest.raises(ValueError, match="trusted_proxies"):
            WebSettings(trusted_proxies=[wrong])


@pytest.mark.parametrize(
    ("authorization", "cookie", "credential"),
    [
        ("Bearer fkt_x", "", "bearer fkt_x"),
        ("bearer   fkt_x ", "fleetkeeper=s", "bearer fkt_x"),
        ("", "fleetkeeper=s", "s"),
        ("", "x=1; fleetkeeper=s", "s"),
        ("", "fleetkeeper=s; y=2; other=3", "s"),
        ("", "x=1", ""),
    ],
)
def test_what_else_stands_in_the_headers_makes_nobody_another_caller(authorization, cookie, credential):
    assert credential_of(authorization, cookie, "fleetkeeper") == credential
