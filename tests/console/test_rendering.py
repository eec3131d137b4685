"""Filters and assets."""

import pytest

from fleetkeeper.console.rendering import clamp_percent, format_grouped, format_percent, format_words


@pytest.mark.parametrize(("value", "text"), [(0, "0 %"), (1.26, "1.3 %"), (9.96, "10 %"), (100, "100 %")])
def test_percent(value, text):
    assert format_percent(value) == text


def test_grouped():
    assert format_grouped(100_000) == "100\u202f000"


@pytest.mark.parametrize(
    ("value", "text"), [("network_device", "Network device"), ("vm", "VM"), ("off", "Off"), ("gpu", "GPU")]
)
def test_words(value, text):
    assert format_words(value) == text


@pytest.mark.parametrize(("value", "width"), [(-5, 0), (33.333, 33.3), (250, 100)])
def test_clamp(value, width):
    assert clamp_percent(value) == width
