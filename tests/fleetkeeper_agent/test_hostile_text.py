"""Text that others chose."""

from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper_agent.hostile_text import clean, clean_or_none
from fleetkeeper_protocol.metrics import format_channel, parse_channel


@given(st.binary(max_size=600) | st.text(alphabet=st.characters(), max_size=600))
def test_any_value_becomes_a_label_that_the_protocol_takes(value):
    text = clean(value)
    assert len(text) <= 300
    text.encode("utf-8")
    assert parse_channel(format_channel("m", {"a": text}))[1]["a"] == text


def test_what_is_replaced():
    assert clean("a\x00b\x1b[31mc") == "a\ufffdb\ufffd[31mc"
    assert clean("first\nsecond\tthird ") == "first second third"
    assert clean("safe\u202egpj.exe") == "safe\ufffdgpj.exe"
    assert clean(b"caf\xe9") == "caf\ufffd"
    assert clean("caf\udce9") == "caf\ufffd"
    assert clean_or_none("") is None
    assert clean_or_none(b" \n") is None
