"""Networks that callers write."""

import pytest
from pydantic import TypeAdapter, ValidationError

from fleetkeeper.kit.networks import Network

NETWORK = TypeAdapter(Network)


@pytest.mark.parametrize("text", ["192.0.2.0/24", "192.0.2.7", "2001:db8::/32"])
def test_texts_are_networks(text):
    assert str(NETWORK.validate_python(text)).startswith(text)


@pytest.mark.parametrize("value", [True, 0, 3, [True, 8], b"\x00\x00\x00\x00", None, "192.0.2.7/24", "x", ""])
def test_nothing_else_is(value):
    with pytest.raises(ValidationError):
        NETWORK.validate_python(value)
