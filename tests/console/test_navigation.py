"""Every page is reached by the navigation and by the palette."""

import re

import pytest
from fastapi.routing import iter_route_contexts

from fleetkeeper.console.contexts.shell import ACCOUNT
from fleetkeeper.console.navigation import place_of, places, shell_for
from fleetkeeper.console.router import console_router
from fleetkeeper.identity.actor import EVERYWHERE, Actor, product_actor
from fleetkeeper.identity.permissions import Permission

# Addresses that are no page to go to, and why.
EXCEPTIONS = {
    "/agents/arrivals": "a part of the agents' page",
    "/alerts/firing": "the number in the header of every page",
    "/alerts/silences/new": "the form of the silences' list, for a day of the calendar",
    "/audit/state": "a part of the audit log's page",
    "/bookmarks": "the menu at the star of every page",
    "/notifications/unread": "the number at the bell of every page",
    "/settings/providers/new": "a form that asks first which provider it is for",
    "/sign-in": "for those who are not signed in",
    "/sign-in/second-factor": "for those who are not signed in",
    "/suggestions/devices": "what a field of a form suggests",
    "/suggestions/metrics": "what a field of a form suggests",
    "/suggestions/part-categories": "what a field of a form suggests",
    "/suggestions/parts": "what a field of a form suggests",
    "/suggestions/suppliers": "what a field of a form suggests",
    "/views": "the menu of a list",
}


def addresses() -> set[str]:
    """All console pages whose address has no parameters."""
    routes = list(iter_route_contexts(console_router().routes))
    return {str(route.path) for route in routes if "GET" in route.methods and "{" not in str(route.path)}


def test_every_page_is_declared_or_an_exception_with_a_reason():
    declared = {place.href for place in places()}
    assert addresses() - EXCEPTIONS.keys() == declared
    assert EXCEPTIONS.keys() <= addresses()


def test_keys_and_addresses_are_given_once():
    keys = [place.key for place in places() if place.key]
    assert len(keys) == len(set(keys))
    assert len(places()) == len({place.href for place in places()})
    assert all(place.parent in {one.href for one in places()} for place in places() if place.parent)


async def test_every_page_is_in_the_palette_and_in_the_navigation(browser):
    page = await browser.page("/")
    palette = page.partition('<template id="palette-pages">')[2].partition("</template>")[0]
    assert set(re.findall(r'href="([^"]+)"', palette)) == {place.href for place in places()}
    for place in places():
        seen = await browser.page(place.parent or "/")
        navigation = seen.partition("<aside")[2].partition('<main class="content"')[0]
        assert f'href="{place.href}"' in navigation, place.title


@pytest.mark.parametrize("place", places(), ids=lambda place: place.href)
async def test_each_page_marks_itself_as_current(browser, place):
    page = await browser.page(place.href)
    assert page.count('aria-current="page"') >= 1 or place.group == ACCOUNT
    assert re.search(rf'href="{place.href}"\s+aria-current="page"', page) or place.group == ACCOUNT


def test_nobody_sees_what_they_may_not_open():
    actor = Actor("user", "dora", {Permission.DEVICES_DELETE: EVERYWHERE})
    shell = shell_for(actor, "/settings/retention/deletions")
    assert [item.href for item in shell.sidebar] == ["/approvals", "/settings/retention/deletions"]
    own = {"/account", "/account/security", "/account/notifications", "/notifications/inbox"}
    assert {item.href for item in shell.account} == own


def test_pages_below_another_show_while_one_of_them_is_open():
    actor = product_actor("user", "maria")
    closed = {item.href for item in shell_for(actor, "/").sidebar}
    assert "/settings/retention/files" not in closed
    for current in ("/settings/retention", "/settings/retention/files"):
        assert "/settings/retention/files" in {item.href for item in shell_for(actor, current).sidebar}


@pytest.mark.parametrize(
    ("path", "href"),
    [
        ("/devices/x", "/devices"),
        ("/settings/providers/x", "/settings/providers"),
        ("/settings/other", "/settings"),
        ("/devicesx", ""),
        ("/nowhere", ""),
    ],
)
def test_an_address_belongs_to_the_nearest_entry(path, href):
    assert place_of(path) == href
