"""The tab of sources, merges with their preview, and pairs that people decide."""

from tests.devices.sources.test_api import see
from tests.devices.sources.test_observing import FOREMAN, PUPPET, VCENTER
from tests.factories.devices import enter


async def test_who_says_what_is_on_the_tab(app, browser):
    *_, device = await see(app, FOREMAN, PUPPET, VCENTER)
    page = await browser.page(f"/devices/{device}?tab=sources")
    for text in (
        "vm-69696",
        "Disputed",
        "Puppet: Debian GNU/Linux",
        "foreman has the lowest rank, 30",
        "Split off",
    ):
        assert text in page


async def test_a_value_is_pinned_and_unpinned(app, browser, admin):
    (device,) = await see(app, VCENTER)
    answer = await browser.send(f"/devices/{device}/pin", attribute="cpu_cores", value="8")
    assert answer.status_code == 204, answer.text
    assert (await admin.get(f"/api/v1/devices/{device}")).json()["cpu_cores"] == 8
    assert "Pinned" in await browser.page(f"/devices/{device}?tab=sources")
    wrong = await browser.send(f"/devices/{device}/pin", attribute="cpu_cores", value="many")
    assert wrong.status_code == 422
    assert "Is no cpu cores" in wrong.text
    await browser.send(f"/devices/{device}/unpin/cpu_cores")
    assert (await admin.get(f"/api/v1/devices/{device}")).json()["cpu_cores"] == 4


async def test_a_source_is_split_off(app, browser, admin):
    *_, device = await see(app, FOREMAN, PUPPET, VCENTER)
    told = (await admin.get(f"/api/v1/devices/{device}/sources")).json()
    answer = await browser.send(f"/devices/{device}/sources/{told['sources'][1]['id']}/split")
    made = answer.headers["HX-Redirect"].split("/")[2].split("?")[0]
    assert (await admin.get(f"/api/v1/devices/{made}")).json()["fqdn"] == "web-prod-01.example.com"


async def test_devices_are_merged_by_a_preview_and_come_back(browser, admin):
    one = await enter(admin, "web-01", owner="Web team")
    other = await enter(admin, "web-02", owner="Others", description="In the corner")
    chosen = await browser.send(f"/devices/{one}/merge", device="web-02")
    preview = chosen.headers["HX-Redirect"]
    page = await browser.page(preview)
    for text in (
        "Only the other device has it",
        "In the corner",
        "Take from the other device",
        "Owner: Others",
        # By phone, each value says whose it is.
        'data-label="web-01"',
        'data-label="web-02"',
        'data-label="After the merge"',
    ):
        assert text in page
    path = f"/devices/{one}/merge/apply?other={other}"
    merged = await browser.send(path, take_from_other="owner", change_reason="One machine")
    assert merged.headers["HX-Redirect"] == f"/devices/{one}?tab=sources"
    assert (await admin.get(f"/api/v1/devices/{one}")).json()["owner"] == "Others"
    assert "One machine" in await browser.page(f"/devices/{one}?tab=sources")
    gone = await admin.get(f"/api/v1/devices/{other}")
    assert "merged into web-01" in gone.json()["detail"]
    old = await browser.client.get(f"/devices/{other}")
    assert (old.status_code, old.headers["Location"]) == (303, f"/devices/{one}")
    (made,) = (await admin.get(f"/api/v1/devices/{one}/merges")).json()["results"]
    back = await browser.send(f"/devices/{one}/merges/{made['id']}/undo")
    assert back.headers["HX-Redirect"] == f"/devices/{other}"
    assert (await admin.get(f"/api/v1/devices/{one}")).json()["owner"] == "Web team"


async def test_what_cannot_be_merged_is_said_at_the_field(browser, admin):
    one = await enter(admin, "web-01")
    for name, problem in (("web-01", "Must be another device"), ("nothing", "No device is named nothing")):
        answer = await browser.send(f"/devices/{one}/merge", device=name)
        assert answer.status_code == 422
        assert problem in answer.text


async def test_a_pair_is_kept_apart_and_opened_again(browser, admin):
    for name in ("a", "b"):
        await enter(admin, name, serial_number="J0B5NJ2")
    assert "a and b" in await browser.page("/device-reviews")
    (review,) = (await admin.get("/api/v1/identity-reviews")).json()["results"]
    path = f"/device-reviews/{review['id']}"
    page = await browser.page(path)
    assert "Both have the serial number J0B5NJ2" in page
    assert "Preview merge" in page
    await browser.send(f"{path}/different", change_reason="Both stand here")
    assert "Both stand here" in await browser.page(path)
    await browser.send(f"{path}/open", change_reason="Wrong")
    assert "Open" in await browser.page(path)


async def test_rules_of_sources_are_kept_in_the_console(browser, admin):
    assert "vcenter" in await browser.page("/attribute-rules")
    answer = await browser.send(
        "/attribute-rules", attribute="os_name", source_system="glpi", rank="5", max_age_days=""
    )
    assert answer.status_code == 204, answer.text
    rules = (await admin.get("/api/v1/attribute-rules?source_system=glpi")).json()["results"]
    assert [(one["attribute"], one["rank"]) for one in rules] == [("os_name", 5)]


async def test_a_rule_of_sources_has_a_page(browser, admin):
    (rule,) = (await admin.get("/api/v1/attribute-rules?source_system=vcenter")).json()["results"]
    page = await browser.page(f"/attribute-rules/{rule['id']}")
    assert "vCenter" in page
    assert "department_id" not in rule
