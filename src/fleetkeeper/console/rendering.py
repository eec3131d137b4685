"""Turns a page's context into a response: the Jinja environment, its filters, the assets' addresses."""

import json
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from fleetkeeper.console.contexts.panels import Fragment

FOLDER = Path(__file__).parent
DIST = FOLDER / "static/dist"
ACRONYMS = frozenset({"cpu", "gpu", "ok", "vm"})
STATIC_URL = "/static/dist"


@cache
def _manifest() -> dict[str, str]:
    try:
        manifest: dict[str, str] = json.loads((DIST / "manifest.json").read_text())
    except FileNotFoundError:
        return {}
    return manifest


def asset_url(name: str) -> str:
    """The address of an asset by its plain name; without a bundle (`make assets`) the plain name stays."""
    return f"{STATIC_URL}/{_manifest().get(name, name)}"


def format_percent(value: float) -> str:
    """12.3 as `12 %`, 1.23 as `1.2 %`."""
    return f"{value:.0f} %" if value == 0 or value >= 9.95 else f"{value:.1f} %"


def format_grouped(value: int) -> str:
    """12345 as `12 345`, with narrow no-break spaces."""
    return f"{value:,}".replace(",", "\u202f")


def format_words(value: str) -> str:
    """An identifier such as `network_device` as words for people."""
    text = value.replace("_", " ")
    return text.upper() if text in ACRONYMS else text[:1].upper() + text[1:]


def clamp_percent(value: float) -> float:
    """A share as a width that fits its bar."""
    return round(min(100.0, max(0.0, value)), 1)


def names_of(context: Any) -> dict[str, Any]:
    """The names that a context gives to its template."""
    return {item.name: getattr(context, item.name) for item in fields(context)}


def drawn(fragment: Fragment) -> Markup:
    """A part of a page that has a template of its own."""
    # What a template makes is markup already: it escapes what it is given.
    return Markup(ENVIRONMENT.get_template(fragment.template).render(names_of(fragment.context)))  # noqa: S704


def _make_environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"asset": asset_url, "drawn": drawn}
    environment.filters |= {
        "clamp": clamp_percent,
        "grouped": format_grouped,
        "percent": format_percent,
        "words": format_words,
    }
    return environment


ENVIRONMENT = _make_environment()


def render(template: str, context: Any, *, status: int = 200) -> HTMLResponse:
    """Render a template with a context dataclass.

    Pages and fragments share addresses, so caches must tell them apart by the header that htmx sends.
    """
    html = ENVIRONMENT.get_template(template).render(names_of(context))
    headers = {"Cache-Control": "no-store", "Vary": "HX-Request, HX-Request-Type"}
    return HTMLResponse(html, status, headers)
