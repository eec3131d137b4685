"""Notes: what may stand in a page, whose they are, and whom they are nobody's business of."""

from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from sqlalchemy import text

from fleetkeeper.annotations.notes.rendering import html_of
from fleetkeeper.database.context import TransactionContext
from tests.annotations.test_tags import STRANGER

NOTES = "/api/v1/notes"


class TestRendering:
    def test_markdown_is_shown(self):
        assert html_of("**Fan** [ticket](https://tickets.example/1)\n\n- a\n- b") == (
            '<p><strong>Fan</strong> <a href="https://tickets.example/1" '
            'rel="noopener noreferrer nofollow">ticket</a></p>\n'
            "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"
        )

    @pytest.mark.parametrize(
        "hostile",
        [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            '<a href="https://a.example" onclick="alert(1)">x</a>',
            "<style>*{display:none}</style><iframe src=//evil.example></iframe>",
            "<svg/onload=alert(1)>",
            "```html\n<script>alert(1)</script>\n```",
        ],
    )
    def test_html_is_text(self, hostile):
        html = html_of(hostile)
        assert not any(f"<{tag}" in html for tag in ("script", "img", "a ", "style", "iframe", "svg"))
        assert "&lt;" in html

    @pytest.mark.parametrize(
        "link",
        [
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](data:text/html;base64,PHNjcmlwdD4=)",
            "[x](vbscript:x)",
            "<javascript:alert(1)>",
            "[x](java&#115;cript:alert(1))",
        ],
    )
    def test_a_link_runs_nothing(self, link):
        assert "href" not in html_of(link)

    @pytest.mark.parametrize(
        "image", ["![x](https://evil.example/p.png)", "![x][1]\n\n[1]: https://evil.example"]
    )
    def test_no_image_is_fetched(self, image):
        html = html_of(image)
        assert "<img" not in html
        assert "src" not in html


def named(device: str) -> str:
    return f"devices:{device}"


async def write(client, device: str, body: str = "Fan replaced") -> dict:
    answer = await client.post(NOTES, json={"object": named(device), "body": body})
    assert answer.status_code == 201, answer.text
    return answer.json()


class TestDoors:
    async def test_the_newest_come_first_and_pages_stay_with_their_object(self, admin, device):
        for body in ("one", "two", "three"):
            await write(admin, device.id, body)
        first = (await admin.get(f"{NOTES}?object={named(device.id)}&limit=2")).json()
        assert ([one["body"] for one in first["results"]], first["count"]) == (["three", "two"], 3)
        assert parse_qs(urlsplit(first["next"]).query)["object"] == [named(device.id)]
        rest = (await admin.get(first["next"])).json()
        assert [one["body"] for one in rest["results"]] == ["one"]

    async def test_an_edited_note_says_so(self, admin, device):
        note = await write(admin, device.id)
        assert (note["author"], note["is_own"], note["edited_at"]) == ("admin", True, None)
        edited = (await admin.patch(f"{NOTES}/{note['id']}", json={"body": "Fan is new"})).json()
        assert (edited["body"], edited["edited_at"] is not None) == ("Fan is new", True)
        assert (await admin.delete(f"{NOTES}/{note['id']}")).status_code == 204
        assert (await admin.get(f"{NOTES}/{note['id']}")).status_code == 404

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"body": " \n"}, "body"),
            ({"body": "a\x00"}, "body"),
            ({"body": "x" * 10_001}, "body"),
            ({"object": "devices"}, "object"),
        ],
    )
    async def test_what_is_no_note(self, admin, device, body, field):
        wanted = {"object": named(device.id), "body": "a"} | body
        answer = await admin.post(NOTES, json=wanted)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)

    async def test_on_nothing_that_there_is(self, admin, device):
        for name in (named(STRANGER), f"users:{device.id}"):
            assert (await admin.post(NOTES, json={"object": name, "body": "a"})).status_code == 404
            assert (await admin.get(f"{NOTES}?object={name}")).status_code == 404

    async def test_a_device_s_notes_go_with_it(self, app, admin, device):
        note = await write(admin, device.id)
        await admin.delete(f"/api/v1/devices/{device.id}", headers={"X-Change-Reason": "Sold"})
        assert (await admin.get(f"{NOTES}/{note['id']}")).status_code == 404


class TestOthers:
    async def test_another_department_s_notes_are_not_there(self, app, sides):
        theirs = await write(sides.south.manager, sides.south.device)
        await write(sides.north.manager, sides.north.device)
        for person in (sides.north.manager, sides.north.viewer):
            assert (await person.get(f"{NOTES}?object={named(sides.south.device)}")).status_code == 404
            wanted = {"object": named(sides.south.device), "body": "a"}
            assert (await person.post(NOTES, json=wanted)).status_code == 404
            for method, body in (("GET", None), ("PATCH", {"body": "a"}), ("DELETE", None)):
                answer = await person.request(method, f"{NOTES}/{theirs['id']}", json=body)
                assert answer.status_code == 404
        in_north = TransactionContext(departments=frozenset({UUID(str(sides.north.department))}))
        async with app.state.database.session(in_north) as session:
            seen = list(await session.scalars(text("SELECT object_id FROM notes")))
        assert seen == [UUID(sides.north.device)]

    async def test_who_only_reads_a_device_reads_its_notes(self, sides):
        note = await write(sides.north.manager, sides.north.device)
        viewer = sides.north.viewer
        assert (await viewer.get(f"{NOTES}/{note['id']}")).json()["is_own"] is False
        wanted = {"object": named(sides.north.device), "body": "a"}
        assert (await viewer.post(NOTES, json=wanted)).status_code == 403
        assert (await viewer.delete(f"{NOTES}/{note['id']}")).status_code == 403

    async def test_others_notes_need_a_permission(self, sides):
        note = await write(sides.admin, sides.north.device)
        # Of a whole installation, which a manager of one department does not have.
        answer = await sides.north.manager.patch(f"{NOTES}/{note['id']}", json={"body": "mine"})
        assert (answer.status_code, "notes:write" in answer.json()["detail"]) == (403, True)
        own = await write(sides.north.manager, sides.north.device)
        assert (await sides.admin.delete(f"{NOTES}/{own['id']}")).status_code == 204
