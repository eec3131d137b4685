"""The page of refused samples."""

import html
import re
from uuid import UUID

from fleetkeeper.telemetry.reasons import Reason
from fleetkeeper.telemetry.refusals.notes import NATIVE, Origin

PAGE = "/senders/refused"


async def test_an_empty_page_says_what_belongs_here(browser):
    page = await browser.page(PAGE)
    assert "No refused samples" in page
    assert "cannot be stored are listed here" in page
    assert "No reasons match these filters" in await browser.page(f"{PAGE}?q=x")


async def test_each_reason_has_an_example_and_a_cure(browser, viewer_browser, app, admin, device):
    refusals = app.state.door.refusals
    origin = Origin(UUID(device.id))
    refusals.note(NATIVE, Reason.TIME, 1234, origin, sentence="2020 is too old", example="cpu=5")
    refusals.note("otlp", Reason.REQUEST, 1, Origin(), example="<script>alert(1)</script>")
    await refusals.flush()
    for someone in (browser, viewer_browser):
        page = await someone.page(PAGE)
        assert "The time is older than the server accepts" in page
        assert "1\u202f234 samples" in page
        assert "2020 is too old" in page
        assert Reason.TIME.cure in page
        assert f'href="/devices/{device.id}"' in page
        assert "Fleetkeeper agent" in page
        assert "1 request<" in re.sub(r"\s+<", "<", page)
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page
    assert "2020 is too old" not in await browser.page(f"{PAGE}?q=request")


async def test_filter_sort_export(browser, app, admin, device):
    refusals = app.state.door.refusals
    refusals.note(NATIVE, Reason.TIME, 5, Origin(UUID(device.id)), example="few")
    refusals.note("otlp", Reason.TIME, 90, Origin(), example="many")
    await refusals.flush()
    page = await browser.part(f"{PAGE}?ordering=-samples")
    assert page.index("many") < page.index("few")
    page = await browser.part(f"{PAGE}?protocol=native&reason=time")
    assert "few" in page
    assert "many" not in page
    file = await browser.client.get(
        html.unescape(re.search(r'href="(/api/v1/telemetry/refusals/export[^"]+)"', page)[1])
    )
    assert "few" in file.text
    assert "many" not in file.text


async def test_other_pages_lead_there(browser, app, device):
    assert f'href="{PAGE}"' in await browser.page("/senders")
    assert (await device.send((1.0, {"cpu_usage_percent": 5.0}))).status_code == 422
    await app.state.intake.flush()
    assert f'href="{PAGE}?q=time"' in await browser.page("/telemetry/space")
