"""What stands in place of an address, and what of it counts."""

import pytest

from fleetkeeper.kit.addresses import customer_of, plain_address


@pytest.mark.parametrize(
    ("text", "plain", "customer"),
    [
        ("192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("2001:DB8:0:0::1", "2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::ffff:1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::1", "fe80::/64"),
        ("fe80::1%", "fe80::1", "fe80::/64"),
        ("192.0.2.07", "", ""),
        ("192.0.2.7:80", "", ""),
        ("[::1]", "", ""),
        ("localhost", "", ""),
        ("' OR 1=1", "", ""),
        ("1", "", ""),
        ("", "", ""),
    ],
)
def test_address(text, plain, customer):
    assert plain_address(text) == plain
    assert customer_of(text) == customer
