"""What somebody typed: words, addresses, networks, MAC addresses."""

import pytest

from fleetkeeper.search.asked import BEGINS, CONTAINS, EXACT, asked_for


@pytest.mark.parametrize(
    "typed", ["02:00:5E:10:00:ff", "02-00-5e-10-00-FF", "0200.5e10.00ff", " 02005E1000FF "]
)
def test_a_mac_address_in_any_form(typed):
    assert asked_for(typed).mac == "02:00:5e:10:00:ff"


@pytest.mark.parametrize(
    ("typed", "first", "last"),
    [
        ("02:00:5e", "02:00:5e:00:00:00", "02:00:5e:ff:ff:ff"),
        ("02-00-5", "02:00:50:00:00:00", "02:00:5f:ff:ff:ff"),
        ("0200.5e1", "02:00:5e:10:00:00", "02:00:5e:1f:ff:ff"),
        ("02005e1", "02:00:5e:10:00:00", "02:00:5e:1f:ff:ff"),
    ],
)
def test_how_a_mac_address_begins(typed, first, last):
    asked = asked_for(typed)
    assert (asked.mac, asked.mac_from, asked.mac_to) == (None, first, last)


@pytest.mark.parametrize("typed", ["10.0.0.1", "web", "0200", "beef", "02:00:5e:10:00:ff:01", "0.1"])
def test_what_is_no_mac_address(typed):
    asked = asked_for(typed)
    assert (asked.mac, asked.mac_from) == (None, None)


@pytest.mark.parametrize(
    ("typed", "address", "network", "begins"),
    [
        ("10.0.0.1", "10.0.0.1", None, "10.0.0.1%"),
        ("10.0.0.1/24", "10.0.0.1", "10.0.0.0", None),
        ("10.0.0.0/24", None, "10.0.0.0", None),
        ("10.0", None, None, "10.0%"),
        ("10.", None, None, "10.%"),
        ("2001:DB8:0:0::1", "2001:db8::1", None, "2001:db8:0:0::1%"),
        ("2001:db8:", None, None, "2001:db8:%"),
        ("fe80::1%eth0", None, None, None),
        ("10.0.0.999", None, None, "10.0.0.999%"),
        ("web-01", None, None, None),
    ],
)
def test_addresses(typed, address, network, begins):
    asked = asked_for(typed)
    assert (asked.address, asked.network_from, asked.address_begins) == (address, network, begins)


def test_words_are_patterns_without_signs_of_their_own():
    asked = asked_for("  100%_ Dell\\R ")
    assert asked.text == "100%_ dell\\r"
    assert asked.words == ("%100\\%\\_%", "%dell\\\\r%")
    assert asked.begins == "100\\%\\_ dell\\\\r%"
    assert asked_for("ab 12").words == ()
    assert len(asked_for("word " * 50).parts) == 6


def test_ranks():
    asked = asked_for("Web-01")
    assert [asked.rank(text) for text in ("WEB-01", "web-011", "old web-01")] == [EXACT, BEGINS, CONTAINS]
    assert asked.rank("other", "web-01") == EXACT
