"""The search over everything: what is found by what, in which order, and by whom."""

import pytest
from sqlalchemy import text

from fleetkeeper.search import service
from tests.factories.devices import enter, neighbors

SERIAL = "5CD123-XYZ"


async def search(client, q, **more):
    answer = await client.get("/api/v1/search", params={"q": q, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def kinds(client, q):
    return [(hit["kind"], hit["title"]) for hit in (await search(client, q))["results"]]


async def post(client, path, **body):
    answer = await client.post(f"/api/v1/{path}", json=body)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


@pytest.fixture
async def furnished(admin):
    """A device with something of each kind."""
    device = await enter(admin, "db-17", serial_number=SERIAL, manufacturer="Dell", asset_tag="A-77")
    await post(
        admin, "hardware-components", device_id=device, kind="disk", slot="bay 1", name="NVMe SSD",
        manufacturer="Samsung", model="PM9A3", serial_number="S64FNE0R",
    )  # fmt: skip
    interface = await post(
        admin, "network-interfaces", device_id=device, interface_name="eno1", mac_address="02:00:5e:10:00:ff",
        description="uplink to core-switch",
    )  # fmt: skip
    await post(
        admin, "ip-addresses", device_id=device, interface_id=interface["id"], address="10.7.0.12/16",
        dns_name="db17.prod.example.org",
    )  # fmt: skip
    await post(
        admin, f"devices/{device}/configs", config_text="hostname db-17\nntp server clock.example\nend\n"
    )
    await post(
        admin, f"devices/{device}/configs", config_text="hostname db-17\nntp server other.example\nend\n"
    )
    await post(admin, "notes", object=f"devices:{device}", body="Battery swollen, see ticket INC4711")
    await post(admin, "tags", name="Postgres primary", slug="pg-primary")
    await post(admin, "locations", name="Aurora hall")
    return device


class TestWhatIsFound:
    @pytest.mark.parametrize(
        ("typed", "kind", "title", "field"),
        [
            ("db-17", "device", "db-17", None),
            ("5cd123-xyz", "device", "db-17", "Serial number"),
            ("5cd1", "device", "db-17", "Serial number"),
            ("123-xy", "device", "db-17", "Serial number"),
            ("a-77", "device", "db-17", "Asset tag"),
            ("s64fne0r", "component", "NVMe SSD", "Serial number"),
            ("samsung pm9a3", "component", "NVMe SSD", "Model"),
            ("02-00-5E-10-00-FF", "interface", "Interface eno1", "MAC address"),
            ("02005e1000", "interface", "Interface eno1", "MAC address"),
            ("core-switch", "interface", "Interface eno1", "Description"),
            ("10.7.0.12", "address", "10.7.0.12", None),
            ("10.7.", "address", "10.7.0.12", None),
            ("10.7.0.0/24", "address", "10.7.0.12", None),
            ("db17.prod", "address", "10.7.0.12", "DNS name"),
            ("other.example", "config", "Config running 2", "Line"),
            ("inc4711", "note", "Note by admin", "Text"),
            ("primary", "tag", "Postgres primary", None),
            ("aurora", "location", "Aurora hall", None),
        ],
    )
    async def test_by(self, admin, furnished, typed, kind, title, field):
        first = (await search(admin, typed))["results"][0]
        assert (first["kind"], first["title"], first["field"]) == (kind, title, field)
        if kind not in ("tag", "location"):
            assert first["href"].startswith(f"/devices/{furnished}")

    async def test_a_match_is_told_with_its_line(self, admin, furnished):
        first = (await search(admin, "NTP  server"))["results"][0]
        assert (first["match"], first["detail"]) == ("ntp server other.example", "db-17")

    async def test_only_the_newest_config_counts(self, admin, furnished):
        assert await kinds(admin, "clock.example") == []

    async def test_a_file_and_a_rule(self, admin, furnished):
        sent = await admin.post(
            "/api/v1/attachments", params={"object": f"devices:{furnished}", "name": "Rack plan.pdf"},
            content=b"%PDF-1.4 x", headers={"Content-Type": "application/pdf"},
        )  # fmt: skip
        assert sent.status_code == 201, sent.text
        assert await kinds(admin, "rack plan") == [("file", "Rack plan.pdf")]
        condition = {"kind": "promql", "expr": "vector(0) > 1"}
        await post(admin, "alert-rules", name="Rack too warm", severity="warning", condition=condition)
        assert await kinds(admin, "too warm") == [("rule", "Rack too warm")]

    async def test_one_or_two_characters_are_whole_texts_or_beginnings(self, admin, furnished):
        await enter(admin, "x1")
        await enter(admin, "ax1")
        assert await kinds(admin, "x1") == [("device", "x1")]
        assert [title for _, title in await kinds(admin, "d")] == ["db-17"]
        assert await kinds(admin, "17") == []

    async def test_nothing_and_nonsense(self, admin, furnished):
        assert (await search(admin, "   "))["results"] == []
        for typed in ("%", "___", "'; DROP TABLE devices; --", "\\", "a" * 200, "温度计", "%%%%"):
            assert (await search(admin, typed))["results"] == []
        assert (await admin.get("/api/v1/search", params={"q": "a\x00"})).status_code == 422
        assert (await admin.get("/api/v1/search", params={"q": "a" * 201})).status_code == 422
        assert (await admin.get("/api/v1/search", params={"q": "a", "limit": 101})).status_code == 422


class TestOrder:
    async def test_exact_then_beginnings_then_parts(self, admin):
        for name in ("old-web-1", "web-12", "web-1", "cobweb-1"):
            await enter(admin, name)
        assert [title for _, title in await kinds(admin, "web-1")] == [
            "web-1",
            "web-12",
            "old-web-1",
            "cobweb-1",
        ]

    async def test_each_kind_has_a_place(self, admin):
        devices = [await enter(admin, f"lamp-{number:02}") for number in range(30)]
        await post(admin, "notes", object=f"devices:{devices[0]}", body="the old lamp-shade")
        answer = await search(admin, "lamp", limit=10)
        assert len(answer["results"]) == 10
        assert answer["is_cut"] is True
        assert answer["results"][-1]["kind"] == "note"


class TestWhoFindsIt:
    async def test_departments(self, app, admin):
        async with neighbors(app) as people:
            device = await enter(
                people.north, "north-db", serial_number="NORTH-1", department_id=people.north_id
            )
            await post(
                people.north,
                "hardware-components",
                device_id=device,
                kind="disk",
                slot="1",
                name="Northern disk",
            )
            await post(people.north, "notes", object=f"devices:{device}", body="North star")
            await post(people.north, f"devices/{device}/configs", config_text="banner north\n")
            for typed in ("north-db", "north-1", "northern disk", "north star", "banner north"):
                assert await kinds(people.north, typed)
                assert await kinds(admin, typed)
                assert await kinds(people.south, typed) == []

    async def test_the_function_itself_keeps_to_the_transaction_s_departments(self, app, admin):
        async with neighbors(app) as people:
            await enter(people.north, "north-db", department_id=people.north_id)
            ask = text(
                'SELECT count(*) FROM search_fleet(\'device\', \'{"text": "north-db", "begins": "north-db%"}\', '
                "CAST(:within AS uuid[]), 10)"
            )
            async with app.state.database.session() as session:
                for within in (None, [people.north_id]):
                    assert await session.scalar(ask, {"within": within}) == 0

    async def test_a_merged_device_is_not_found(self, admin):
        kept, gone = await enter(admin, "kept-1"), await enter(admin, "gone-1", serial_number="GONE-SN")
        merged = await admin.post(
            f"/api/v1/devices/{kept}/merges",
            json={"other_device_id": gone},
            headers={"X-Change-Reason": "One machine"},
        )
        assert merged.status_code in (200, 201), merged.text
        found = await search(admin, "gone-1")
        assert gone not in [hit["id"] for hit in found["results"] if hit["kind"] == "device"]
        for hit in (await search(admin, "gone-sn"))["results"]:
            assert hit["href"].startswith(f"/devices/{kept}")

    async def test_who_is_not_signed_in(self, anonymous):
        assert (await anonymous.get("/api/v1/search", params={"q": "x"})).status_code == 401


async def test_a_kind_that_takes_too_long_is_left_out(admin, furnished, monkeypatch):
    async def slow(session, actor, asked, most):
        await session.execute(text("SELECT pg_sleep(20)"))

    source = service.SOURCES["component"]
    monkeypatch.setitem(service.SOURCES, "component", type(source)("component", source.permission, slow, 3))
    monkeypatch.setattr(service, "BUDGET_SECONDS", 0.2)
    answer = await search(admin, "db-17")
    assert answer["unfinished"] == ["component"]
    assert answer["results"][0]["title"] == "db-17"
