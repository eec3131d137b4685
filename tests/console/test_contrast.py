"""Text can be read on what it stands on, in light and dark."""

import re
from pathlib import Path

import pytest

TOKENS = (Path(__file__).parents[2] / "web/src/styles/tokens.css").read_text()
# What stands on what: tags, buttons, and plain text.
PAIRS = (
    ("good", "good-soft"),
    ("warn", "warn-soft"),
    ("bad", "bad-soft"),
    ("purple", "purple-soft"),
    ("teal", "teal-soft"),
    ("text-soft", "sunken"),
    ("accent-text", "accent-soft"),
    ("text-faint", "surface"),
    ("text-faint", "sunken"),
    ("text-faint", "bg"),
)


def colours(theme: str) -> dict[str, str]:
    block = next(body for name, body in re.findall(r"([^{}]+)\{([^{}]*)\}", TOKENS) if theme in name)
    return dict(re.findall(r"--fk-([\w-]+):\s*(#[0-9a-f]{6});", block))


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [":root", '[data-bs-theme="dark"]'])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_contrast(theme, text, ground):
    known = colours(theme)
    lighter, darker = sorted((luminance(known[text]), luminance(known[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5
