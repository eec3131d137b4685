"""Where calls to addresses that people entered may lead."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from fleetkeeper.kit.outgoing import (
    MAX_ANSWER_BYTES,
    ForbiddenAddressError,
    OutgoingError,
    Reach,
    check_url,
    connect,
    post,
    resolve,
)
from fleetkeeper.settings.outgoing import OutgoingSettings
from tests.factories.notifications import LOCAL, receiving

NOTHING_MORE = Reach()


class TestAddresses:
    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1",
            "127.255.0.9",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "169.254.169.254",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "fd00:ec2::254",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:0:0:0:0:0:80ff:fffe",
        ],
    )
    def test_what_is_not_public_is_refused(self, address):
        assert not NOTHING_MORE.allows("host.example", ip_address(address))

    @pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101"])
    def test_what_is_public_is_allowed(self, address):
        assert NOTHING_MORE.allows("host.example", ip_address(address))

    def test_an_operator_allows_networks_and_hosts(self):
        reach = Reach.of(OutgoingSettings(allowed_networks=["10.1.0.0/16"], allowed_hosts=["Mail.Example"]))
        assert reach.allows("x.example", ip_address("10.1.2.3"))
        assert not reach.allows("x.example", ip_address("10.2.2.3"))
        assert reach.allows("mail.example.", ip_address("192.168.0.1"))

    @pytest.mark.parametrize(
        "host", ["localhost", "127.1", "2130706433", "0x7f.1", "017700000001", "::1", "127.0.0.1"]
    )
    async def test_each_spelling_of_this_machine_is_refused(self, host):
        with pytest.raises(ForbiddenAddressError, match="not a public address"):
            await resolve(host, 80, NOTHING_MORE)

    @pytest.mark.parametrize(
        "address",
        [
            "ftp://a.example",
            "file:///etc/passwd",
            "https://user:word@a.example",
            "https://",
            "//a.example",
            "http://a b.example",
            "https://a.example/\n",
        ],
    )
    def test_other_addresses_are_none(self, address):
        with pytest.raises(ForbiddenAddressError):
            check_url(address)


@pytest.fixture
def leads_here(monkeypatch):
    """Every name leads to this machine, as a name server says; gives the names that were asked for."""
    asked = []

    async def answer(loop, host, port, **_):
        asked.append(host)
        # A second answer would lead elsewhere.
        return [(0, 0, 0, "", ("127.0.0.1" if asked.count(host) == 1 else "192.0.2.1", port))]

    monkeypatch.setattr("asyncio.base_events.BaseEventLoop.getaddrinfo", answer)
    return asked


@pytest.fixture
def certificate(tmp_path, monkeypatch) -> ssl.SSLContext:
    """What a server shows that is called hooks.example, by an authority that this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hooks.example")])
    names = x509.SubjectAlternativeName([x509.DNSName("hooks.example")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=1,
        not_valid_before=now - timedelta(days=1),
        not_valid_after=now + timedelta(days=1),
    )
    signed = made.add_extension(names, critical=False).sign(key, hashes.SHA256())
    path = tmp_path / "server.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + signed.public_bytes(Encoding.PEM)
    )
    trusting = ssl.create_default_context(cafile=str(path))
    monkeypatch.setattr("fleetkeeper.kit.outgoing.trusted_authorities", lambda: trusting)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


class TestCalls:
    async def test_a_name_is_resolved_once_and_the_checked_address_called(self, leads_here):
        async with receiving() as receiver:
            port = receiver.url.split(":")[2].removesuffix("/hook")
            answered = await post(f"http://hooks.example:{port}/x", b"{}", {}, LOCAL)
        assert (answered.status, leads_here) == (200, ["hooks.example"])
        assert receiver.requests[0][0]["host"] == f"hooks.example:{port}"

    async def test_the_certificate_is_that_of_the_name(self, leads_here, certificate):
        async with receiving(certificate) as receiver:
            port = receiver.url.split(":")[2].removesuffix("/hook")
            assert (await post(f"https://hooks.example:{port}/x", b"{}", {}, LOCAL)).status == 200
            with pytest.raises(OutgoingError, match="certificate"):
                await post(f"https://other.example:{port}/x", b"{}", {}, LOCAL)
        assert len(receiver.requests) == 1

    async def test_a_long_answer_is_read_in_part(self):
        async with receiving() as receiver:
            receiver.content = b"x" * (MAX_ANSWER_BYTES * 4)
            answered = await post(receiver.url, b"{}", {}, LOCAL)
        assert len(answered.content) == MAX_ANSWER_BYTES

    async def test_one_that_does_not_answer_is_not_waited_for(self, monkeypatch):
        monkeypatch.setattr("fleetkeeper.kit.outgoing.DEADLINE_SECONDS", 0.2)
        async with receiving() as receiver:
            receiver.is_silent = True
            with pytest.raises(OutgoingError, match="did not answer within"):
                await post(receiver.url, b"{}", {}, LOCAL)

    async def test_this_machine_is_not_called(self):
        async with receiving() as receiver:
            with pytest.raises(ForbiddenAddressError):
                await post(receiver.url, b"{}", {}, NOTHING_MORE)
            with pytest.raises(ForbiddenAddressError):
                await connect("127.0.0.1", 25, NOTHING_MORE)
        assert receiver.requests == []

    async def test_a_closed_port_is_told_in_words(self):
        async with receiving() as receiver:
            url = receiver.url
        with pytest.raises(OutgoingError, match=r"127\.0\.0\.1 cannot be reached"):
            await post(url, b"{}", {}, LOCAL)
