"""Files on objects: what goes in comes out, as a download alone, within bounds, and for those who see the object."""

import hashlib
import os
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from fleetkeeper.annotations.attachments.names import LONGEST, clean_name, disposition_of
from fleetkeeper.database.context import TransactionContext
from fleetkeeper.settings import Settings
from fleetkeeper.settings.attachments import MEGABYTE, AttachmentSettings
from tests.annotations.test_tags import STRANGER
from tests.fixtures.client import TEST_CONTEXT, TEST_WEB

FILES = "/api/v1/attachments"
OCTETS = {"Content-Type": "application/octet-stream"}


async def send(client, device: str, content: bytes = b"hello", name: str = "a.txt", **headers: str):
    asked = {"object": f"devices:{device}", "name": name}
    return await client.post(FILES, params=asked, content=content, headers=OCTETS | headers)


async def attach(client, device: str, content: bytes = b"hello", name: str = "a.txt") -> dict:
    answer = await send(client, device, content, name)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def names(client, device: str) -> list[str]:
    page = (await client.get(FILES, params={"object": f"devices:{device}"})).json()
    return [one["name"] for one in page["results"]]


async def in_pieces(size: int):
    """As a browser sends a file."""
    for _ in range(size // 4096):
        yield b"x" * 4096


class TestNames:
    @pytest.mark.parametrize(
        ("given_name", "cleaned"),
        [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\x\\plan.docx", "plan.docx"),
            ("..", "file"),
            ("a/", "file"),
            ("\x00\r\nSet-Cookie: a.txt", "Set-Cookie_ a.txt"),
            ("\u202egpj.exe", "gpj.exe"),
            ("a\u200b\u2066b.txt", "ab.txt"),
            ("con.txt", "_con.txt"),
            ("LPT1", "_LPT1"),
            (".bashrc", "bashrc"),
            ("Gr\u006f\u0308\u00dfe \u2713.txt", "Gr\u00f6\u00dfe \u2713.txt"),
            ("\ud800x.bin", "x.bin"),
            ('<img src="x">.png', "_img src=_x__.png"),
        ],
    )
    def test_only_what_is_safe_stays(self, given_name, cleaned):
        assert clean_name(given_name) == cleaned

    def test_a_long_name_keeps_its_extension(self):
        cleaned = clean_name("\U0001f600" * 300 + ".tar.gz")
        assert cleaned.endswith(".gz")
        assert len(cleaned.encode()) <= 255

    @given(st.text(alphabet=st.characters(), max_size=400))
    def test_whatever_comes_is_a_name(self, given_name):
        cleaned = clean_name(given_name)
        assert 0 < len(cleaned) <= LONGEST
        assert len(cleaned.encode()) <= 255
        assert cleaned.isprintable()
        assert not set(cleaned) & set('/\\<>:"|?*\0')
        assert cleaned.strip(" .") == cleaned
        assert clean_name(cleaned) == cleaned
        disposition_of(cleaned).encode("latin-1")


class TestDoors:
    @pytest.mark.parametrize("size", [1, 256 * 1024, 700_001])
    async def test_what_goes_in_comes_out(self, admin, device, size):
        content = os.urandom(size)
        file = await attach(admin, device.id, content, "Größe.bin")
        assert (file["size_bytes"], file["sha256"]) == (size, hashlib.sha256(content).hexdigest())
        answer = await admin.get(f"{FILES}/{file['id']}/content")
        assert answer.content == content
        assert answer.headers["content-length"] == str(size)

    async def test_a_file_in_pieces(self, admin, device):
        answer = await admin.post(
            FILES,
            params={"object": f"devices:{device.id}", "name": "a"},
            content=in_pieces(2 * MEGABYTE),
            headers=OCTETS,
        )
        assert answer.json()["sha256"] == hashlib.sha256(b"x" * 2 * MEGABYTE).hexdigest()

    async def test_a_file_is_attached_once_for_one_key(self, admin, device):
        """The parts of a body are all told apart by the front that repeats answers."""
        asked = {"object": f"devices:{device.id}", "name": "a"}
        headers = OCTETS | {"Idempotency-Key": "one"}
        first = await admin.post(FILES, params=asked, content=in_pieces(MEGABYTE), headers=headers)
        again = await admin.post(FILES, params=asked, content=in_pieces(MEGABYTE), headers=headers)
        assert (first.status_code, again.json()) == (201, first.json())
        other = await admin.post(FILES, params=asked, content=in_pieces(MEGABYTE + 4096), headers=headers)
        assert other.status_code == 422
        assert await names(admin, device.id) == ["a"]

    @pytest.mark.parametrize("name", ["page.html", "image.svg", "script.js", "feed.xml", "a.pdf"])
    async def test_it_is_never_shown(self, admin, device, name):
        file = await attach(admin, device.id, b"<script>alert(1)</script>", name)
        headers = (await admin.get(f"{FILES}/{file['id']}/content")).headers
        assert headers["content-type"] == "application/octet-stream"
        assert headers["content-disposition"].startswith(f'attachment; filename="{name}"')
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"] == "default-src 'none'; sandbox"

    async def test_a_header_cannot_be_split(self, admin, device):
        file = await attach(admin, device.id, name='a"\r\nSet-Cookie: x=1;\u202e.txt')
        answer = await admin.get(f"{FILES}/{file['id']}/content")
        assert "set-cookie" not in answer.headers
        assert answer.headers["content-disposition"].count('"') == 2

    async def test_the_newest_come_first(self, admin, device):
        for name in ("one", "two", "three"):
            await attach(admin, device.id, name=name)
        assert await names(admin, device.id) == ["three", "two", "one"]

    async def test_a_deleted_file_leaves_nothing(self, app, admin, device):
        file = await attach(admin, device.id)
        assert (await admin.delete(f"{FILES}/{file['id']}")).status_code == 204
        assert (await admin.get(f"{FILES}/{file['id']}/content")).status_code == 404
        assert await self.rows(app) == (0, 0)

    async def test_a_device_s_files_go_with_it(self, app, admin, device):
        await attach(admin, device.id)
        await admin.delete(f"/api/v1/devices/{device.id}", headers={"X-Change-Reason": "Sold"})
        assert await self.rows(app) == (0, 0)

    @staticmethod
    async def rows(app) -> tuple[int, int]:
        async with app.state.database.session(TEST_CONTEXT) as session:
            counted = "SELECT (SELECT count(*) FROM attachments), (SELECT count(*) FROM attachment_parts)"
            return tuple((await session.execute(text(counted))).one())

    async def test_the_log_tells_of_it(self, admin, device):
        await attach(admin, device.id, b"zz-content-of-the-file", "plan.pdf")
        query = f"device_id={device.id}&resource_type=attachments"
        answer = await admin.get(f"/api/v1/audit?{query}")
        [entry] = answer.json()["results"]
        assert (entry["action"], entry["record_name"]) == ("attachments.insert", "plan.pdf")
        assert "zz-content" not in answer.text

    @pytest.mark.parametrize("form", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
    async def test_a_form_is_no_file(self, admin, device, form):
        answer = await send(admin, device.id, b"a=b", **{"Content-Type": form})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "Content-Type")

    @pytest.mark.parametrize(
        ("parameters", "status"),
        [
            ({"object": "devices"}, 422),
            ({"object": f"devices:{STRANGER}"}, 404),
            ({"object": f"roles:{STRANGER}"}, 404),
            ({"name": ""}, 422),
            ({"name": "x" * 1001}, 422),
        ],
    )
    async def test_on_nothing_that_there_is(self, admin, device, parameters, status):
        asked = {"object": f"devices:{device.id}", "name": "a"} | parameters
        assert (await admin.post(FILES, params=asked, content=b"a", headers=OCTETS)).status_code == status

    async def test_an_empty_file(self, admin, device):
        assert (await send(admin, device.id, b"")).status_code == 422


class TestBounds:
    @pytest.fixture
    def settings(self, tmp_path) -> Settings:
        limits = AttachmentSettings(
            max_file_megabytes=2, max_files_per_object=3, max_megabytes_per_object=3, max_total_megabytes=4
        )
        return Settings(home=tmp_path, web=TEST_WEB, attachments=limits)

    async def test_a_file_too_large_is_refused_while_it_comes(self, admin, device):
        assert (await send(admin, device.id, b"x" * (2 * MEGABYTE))).status_code == 201
        assert (await send(admin, device.id, b"x" * (2 * MEGABYTE + 1))).status_code == 413

    async def test_files_of_one_object(self, admin, device):
        for _ in range(3):
            await attach(admin, device.id)
        answer = await send(admin, device.id)
        assert (answer.status_code, "3 files already" in answer.json()["detail"]) == (409, True)

    async def test_bytes_of_one_object_and_of_all(self, app, sides):
        north, south = sides.north, sides.south
        await attach(north.manager, north.device, b"x" * (2 * MEGABYTE))
        answer = await send(north.manager, north.device, b"x" * (2 * MEGABYTE))
        assert (answer.status_code, "3 MiB together" in answer.json()["detail"]) == (409, True)
        # What others hold counts, though one does not see it.
        await attach(south.manager, south.device, b"x" * (2 * MEGABYTE))
        answer = await send(south.manager, south.device, b"x")
        assert (answer.status_code, "MAX_TOTAL" in answer.json()["detail"]) == (409, True)


class TestOthers:
    async def test_another_department_s_files_are_not_there(self, app, sides):
        theirs = await attach(sides.south.manager, sides.south.device)
        await attach(sides.north.manager, sides.north.device)
        for person in (sides.north.manager, sides.north.viewer):
            assert (await person.get(FILES, params={"object": theirs["object"]})).status_code == 404
            assert (await send(person, sides.south.device)).status_code == 404
            for method, path in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
                answer = await person.request(method, f"{FILES}/{theirs['id']}{path}")
                assert answer.status_code == 404, path
        in_north = TransactionContext(departments=frozenset({UUID(str(sides.north.department))}))
        async with app.state.database.session(in_north) as session:
            seen = list(await session.scalars(text("SELECT object_id FROM attachments")))
            parts = list(await session.scalars(text("SELECT attachment_id FROM attachment_parts")))
        assert seen == [UUID(sides.north.device)]
        assert len(parts) == 1
        assert parts != [UUID(theirs["id"])]

    async def test_who_only_reads_a_device_reads_its_files(self, sides):
        file = await attach(sides.north.manager, sides.north.device)
        viewer = sides.north.viewer
        assert (await viewer.get(f"{FILES}/{file['id']}/content")).content == b"hello"
        assert (await send(viewer, sides.north.device)).status_code == 403
        assert (await viewer.delete(f"{FILES}/{file['id']}")).status_code == 403

    async def test_nobody_reads_without_a_sign_in(self, app, admin, device):
        file = await attach(admin, device.id)
        async with app.client() as nobody:
            assert (await nobody.get(f"{FILES}/{file['id']}/content")).status_code == 401
            assert (await send(nobody, device.id)).status_code == 401
