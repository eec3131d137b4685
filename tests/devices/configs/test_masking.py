"""No secret of a configuration is stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.devices.configs.masking import LONGEST_LINE, MASK, masked

SECRET = "Geh3im-X"


@pytest.mark.parametrize(
    "line",
    [
        "enable secret 5 {}",
        "username admin privilege 15 password 7 {}",
        "username admin secret {}",
        "snmp-server community {} RO",
        "snmp-server host 10.0.0.1 version 2c {}",
        "set snmp community {} authorization read-only",
        "tacacs-server host 10.0.0.1 key 7 {}",
        "radius-server key {}",
        "  key-string {}",
        'set system root-authentication encrypted-password "{}"',
        "    set psksecret ENC {}",
        "password = {}",
        "password: '{}'",
        "api_key={}",
        "auth-token: {}",
        "wpa-psk {}",
        "url https://user:{}@host.example/path",
        "Authorization: Basic {}",
        "pre-shared-key ascii-text {}",
        "wpa-psk ascii 0 {}",
        "snmp-server user u g v3 auth sha {0} priv aes 128 {0}",
        "AWS_SECRET_ACCESS_KEY={}",
        "ip ospf message-digest-key 1 md5 {}",
        "crypto isakmp key {} address 1.1.1.1",
        " <password>{}</password>",
    ],
)
def test_what_vendors_write(line):
    shown = masked(line.format(SECRET))
    assert SECRET not in shown
    assert MASK in shown
    assert shown.split()[0].startswith(line.split()[0].partition("{")[0])


def test_hashes_and_private_keys():
    text = "root:$6$salt$abcdef\nkey:\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nend"
    assert masked(text) == f"root:{MASK}\nkey:\n{MASK}\nend"


@pytest.mark.parametrize(
    "text",
    ['{{"password":\n "{}"}}', "password = \\\n{}", "api-key: |\n  {}", "password: >-\n\n  {}",
     "<secret>\n{}\n</secret>", "pass\u200bword {}"],
)  # fmt: skip
def test_values_on_the_next_line_and_names_with_what_nobody_sees(text):
    shown = masked(text.format(SECRET))
    assert SECRET not in shown
    assert MASK in shown


def test_a_key_without_an_end_takes_the_rest():
    assert masked("a\n-----BEGIN PRIVATE KEY-----\nMIIE\nmore") == f"a\n{MASK}"


@pytest.mark.parametrize(
    "line",
    ["interface Ethernet1", " set community no-export", "crypto key generate rsa", "ip address 10.0.0.1 255.255.255.0",
     "service password-encryption", ""],
)  # fmt: skip
def test_what_is_no_secret_stays(line):
    assert masked(line) == line


@given(st.text(max_size=500))
def test_masking_again_changes_nothing(text):
    once = masked(text)
    assert masked(once) == once


def test_a_line_of_endless_length_is_cut():
    assert masked("x" * (LONGEST_LINE + 5_000_000)) == "x" * LONGEST_LINE + MASK
