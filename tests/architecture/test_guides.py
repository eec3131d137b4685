"""Guides name pages that there are, links lead somewhere, and every guide is found."""

import re
from pathlib import Path

import fleetkeeper.console.router  # noqa: F401 - every page declares its place
from fleetkeeper.console.navigation import GROUPS, places

ROOT = Path(__file__).parents[2]
GUIDES = ROOT / "docs" / "guides"
PAGES = (
    ROOT / "README.md",
    ROOT / "docs" / "glossary.md",
    ROOT / "docs" / "architecture.md",
    *GUIDES.glob("*.md"),
)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
# Where something is done: `*Users → Create user*`.
WAY = re.compile(r"\*([A-Z][A-Za-z ]*) → [^*]+\*")
# What others' consoles are called by.
ELSEWHERE = {"Connections", "App registrations", "Enterprise applications", "Token configuration", "Services"}
# A button whose page stands in the same sentence.
BUTTONS = {"Preview"}
PEOPLES = {
    "agents",
    "api",
    "access",
    "audit",
    "senders",
    "explore",
    "dashboards",
    "jobs",
    "space",
    "retention",
    "sign-in",
}


def test_links_lead_to_files():
    missing = [
        f"{page.name}: {link}"
        for page in PAGES
        for link in LINK.findall(page.read_text())
        if not (page.parent / link).exists()
    ]
    assert missing == []


def test_ways_begin_with_a_page():
    known = {place.title for place in places()} | set(GROUPS) | ELSEWHERE | BUTTONS
    ways = [(page.name, first) for page in PAGES for first in WAY.findall(page.read_text())]
    assert len(ways) > 5
    assert [way for way in ways if way[1] not in known] == []


def test_the_readme_and_the_site_list_the_guides():
    readme = (ROOT / "README.md").read_text()
    assert [name for name in PEOPLES if f"docs/guides/{name}.md" not in readme] == []
    site = (ROOT / "mkdocs.yml").read_text()
    assert [path.name for path in GUIDES.glob("*.md") if f"guides/{path.name}" not in site] == []
