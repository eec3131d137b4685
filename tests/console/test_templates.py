"""What holds for every template: its context, its icons, and nothing that the security policy forbids."""

import re
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest
from jinja2 import meta

from fleetkeeper.console.contexts import (
    agents,
    audit,
    dashboards,
    devices,
    explore,
    identity,
    lists,
    notes,
    overview,
    panels,
    refusals,
    shell,
    space,
    stock,
    views,
)
from fleetkeeper.console.rendering import ENVIRONMENT, FOLDER

WEB = Path(__file__).parents[2] / "web/src"
TEMPLATES = sorted((FOLDER / "templates").rglob("*.html"))

# Each template that is rendered by itself, with the context that it is rendered with.
CONTEXTS = {
    "panels/page.html": panels.PanelPage,
    "panels/_list.html": lists.ListResults,
    "panels/_views.html": views.ViewsMenu,
    "agents/_arrivals.html": agents.Arrivals,
    "agents/_created.html": agents.TokenCreated,
    "audit/entry.html": audit.AuditEntryPage,
    "audit/_changes.html": audit.EntryCell,
    "audit/_what.html": audit.EntryCell,
    "audit/_seals.html": audit.SealPanel,
    "dashboards/_built_in.html": dashboards.BuiltInDashboards,
    "dashboards/_making.html": dashboards.DashboardsMaking,
    "devices/_before.html": devices.StateBefore,
    "devices/_charts.html": devices.DeviceCharts,
    "devices/_file_systems.html": devices.FileSystems,
    "devices/_head.html": devices.DeviceHead,
    "devices/_never_reported.html": devices.NeverReported,
    "devices/_processes.html": devices.DeviceProcesses,
    "notes/_cards.html": notes.Notes,
    "telemetry/_space.html": space.SpaceParts,
    "stock/_demand.html": stock.DemandChart,
    "errors/page.html": shell.ErrorPage,
    "errors/_toast.html": shell.ErrorToast,
    "explore/detail.html": explore.ExplorePage,
    "identity/sign_in.html": identity.SignInPage,
    "overview/detail.html": overview.OverviewPage,
    "overview/_summary.html": overview.OverviewSummary,
    "senders/_example.html": refusals.RefusedExample,
}


@cache
def names_used(template: str) -> frozenset[str]:
    """The names of the context that a template uses, with those of what it extends and includes."""
    source = ENVIRONMENT.loader.get_source(ENVIRONMENT, template)[0]
    tree = ENVIRONMENT.parse(source)
    names = set(meta.find_undeclared_variables(tree)) - set(ENVIRONMENT.globals)
    # Inside a block, jinja2.meta does not see what the template imported above.
    for imported in re.findall(r'{%-? from "[^"]+" import ([\w, ]+?) -?%}', source):
        names -= set(imported.split(", "))
    for other in re.findall(r'{%-?\s*(?:extends|include) "([^"]+)"', source):
        names |= names_used(other)
    return frozenset(names)


@pytest.mark.parametrize("template", CONTEXTS)
def test_a_template_uses_exactly_its_context(template):
    assert names_used(template) == {item.name for item in fields(CONTEXTS[template])}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_nothing_inline_and_no_markup_from_data(path):
    source = path.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)", source), "scripts come from files"
    assert not re.search(r"<style|<[^>{]*\sstyle=", source), "styles come from files"
    assert not re.search(r"\son[a-z]+=|hx-on|js:|javascript:", source), "no code in attributes"
    unsafe = re.findall(r"{{[^}]*\|\s*safe", source)
    assert all(re.match(r"""{{ '[^'{}]*' \| safe""", text) for text in unsafe), "only constants are markup"


def test_every_icon_is_in_the_sprite():
    known = set(re.findall(r'"([a-z0-9-]+)"', (WEB / "icons.mjs").read_text()))
    sources = [path.read_text() for path in [*TEMPLATES, *WEB.rglob("*.js")]]
    sources += [path.read_text() for path in FOLDER.rglob("*.py")]
    used = {name for text in sources for name in re.findall(r'(?<![\w-])icon\("([a-z0-9-]+)"', text)}
    used |= {name for text in sources for name in re.findall(r"icons\.svg'\) }}#([a-z0-9-]+)", text)}
    icons = (FOLDER / "templates/components/icons.html").read_text()
    used |= set(re.findall(r'": "([a-z-]+)"', icons))
    assert used <= known


def test_scripts_never_write_markup():
    for path in WEB.rglob("*.js"):
        source = path.read_text()
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", source
        ), path
