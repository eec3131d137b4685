"""Lists: what a query string may say, and that walking the pages gives every row once, in order, both ways."""

import contextlib
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Double,
    Integer,
    MetaData,
    String,
    Table,
    Uuid,
    delete,
    insert,
    select,
    text,
)

from fleetkeeper.errors import InvalidInputError
from fleetkeeper.kit.listing import Field, Listing
from fleetkeeper.kit.pagination import decode_cursor, encode_cursor

THINGS = Table(
    "listed_things",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("name", String(100)),
    Column("place", String(100)),
    Column("size", Integer),
    Column("big", BigInteger),
    Column("share", Double),
    Column("seen", DateTime(timezone=True)),
    prefixes=["TEMPORARY"],
)
LISTING = Listing(
    fields={
        "id": Field(THINGS.c.id, UUID, sortable=False),
        "name": Field(THINGS.c.name, str),
        "place": Field(THINGS.c.place, str, null_as="''"),
        "size": Field(THINGS.c.size, int, null_as="-1"),
        "big": Field(THINGS.c.big, int),
        "share": Field(THINGS.c.share, float, null_as="-1"),
        "seen": Field(THINGS.c.seen, datetime, null_as="to_timestamp(0)"),
        "flag": Field(THINGS.c.size > 2, bool),
    },
    search=(THINGS.c.name, THINGS.c.place),
    key=THINGS.c.id,
    default_ordering="name",
)
MORNING = datetime(2026, 11, 21, 9, tzinfo=UTC)
# Few values, so that ties are the rule.
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["", "a", "b", "B", "ä", "a%", "_", "100%", "'; DROP TABLE devices; --"]),
            "place": st.sampled_from([None, "", "x", "\u202egnp.exe"]),
            "size": st.sampled_from([None, -1, 0, 1, 2_147_483_647]),
            "share": st.sampled_from([None, -1.0, 0.1, 0.30000000000000004, 1e300]),
            "seen": st.sampled_from([None, MORNING, MORNING + timedelta(microseconds=1)]),
        }
    ),
    max_size=12,
)


@pytest.fixture
async def things(session):
    await session.run_sync(lambda inner: THINGS.create(inner.connection()))
    return session


async def fill(session, rows) -> None:
    await session.execute(delete(THINGS))
    if rows:
        keys = [UUID(int=(7919 * number) % 10_007) for number in range(1, len(rows) + 1)]
        await session.execute(
            insert(THINGS), [row | {"id": key} for row, key in zip(rows, keys, strict=True)]
        )


async def page(session, *parameters):
    return await LISTING.page(session, select(THINGS), parameters)


def query_of(link: str) -> list[tuple[str, str]]:
    return parse_qsl(link.removeprefix("?"), keep_blank_values=True)


async def test_texts_are_searched_by_a_plan_of_their_own(things):
    """PostgreSQL makes a plan for any text after a few searches; it goes through all rows."""
    await page(things, ("q", "a"))
    assert await things.scalar(text("SHOW plan_cache_mode")) == "force_custom_plan"


class TestWalking:
    @settings(
        max_examples=60,
        deadline=None,
        derandomize=True,
        # The table is emptied for each example, so that sharing the transaction does no harm.
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        rows=ROWS,
        limit=st.integers(1, 5),
        ordering=st.sampled_from(["name", "place", "size", "share", "seen"]),
        descending=st.booleans(),
    )
    async def test_forward_then_backward_gives_every_row_once(
        self, things, rows, limit, ordering, descending
    ):
        await fill(things, rows)
        sign = "-" if descending else ""
        sort = LISTING.fields[ordering].sort_expression
        order = (sort.desc(), THINGS.c.id.desc()) if descending else (sort, THINGS.c.id)
        expected = list(await things.scalars(select(THINGS.c.id).order_by(*order)))
        pages, link = [], [("ordering", sign + ordering), ("limit", str(limit))]
        while True:
            found = await page(things, *link)
            assert found.count == len(rows)
            pages.append([row.id for row in found.rows])
            if found.next is None:
                break
            link = query_of(found.next)
        assert [key for keys in pages for key in keys] == expected
        assert all(len(keys) == limit for keys in pages[:-1])
        back = [pages[-1]]
        while found.previous is not None:
            found = await page(things, *query_of(found.previous))
            back.insert(0, [row.id for row in found.rows])
            assert found.next is not None
        assert back == pages

    async def test_row_that_comes_meanwhile_shifts_nothing(self, things):
        names = ["b", "d", "f", "h"]
        await fill(things, [{"name": n, "place": None, "size": 1, "share": 1.0, "seen": None} for n in names])
        first = await page(things, ("limit", "2"))
        await things.execute(insert(THINGS).values(id=UUID(int=99_999), name="a"))
        second = await page(things, *query_of(first.next))
        assert [row.name for row in second.rows] == ["f", "h"]

    async def test_links_keep_the_filters(self, things):
        await fill(
            things, [{"name": "a", "place": None, "size": n, "share": 1.0, "seen": None} for n in range(5)]
        )
        first = await page(things, ("limit", "1"), ("size__gte", "2"), ("q", "a"), ("name__in", "a,b"))
        assert first.count == 3
        assert dict(query_of(first.next)).keys() == {"limit", "size__gte", "q", "name__in", "cursor"}


class TestFilters:
    @pytest.fixture
    async def named(self, things):
        rows = [
            {"name": "alpha", "place": "Berlin", "size": 1, "share": 0.5, "seen": MORNING},
            {"name": "Beta", "place": None, "size": 5, "share": None, "seen": MORNING + timedelta(hours=1)},
            {"name": "100%_x\\y", "place": "Paris", "size": None, "share": 2.0, "seen": None},
        ]
        await fill(things, rows)
        return things

    @pytest.mark.parametrize(
        ("name", "text", "found"),
        [
            ("name", "alpha", {"alpha"}),
            ("name", "ALPHA", set()),
            ("name__in", "alpha,Beta,nobody", {"alpha", "Beta"}),
            ("name__in", ",", set()),
            ("name__contains", "ET", {"Beta"}),
            ("name__contains", "%", {"100%_x\\y"}),
            ("name__contains", "_", {"100%_x\\y"}),
            ("name__contains", "\\", {"100%_x\\y"}),
            ("name", "", {"alpha", "Beta", "100%_x\\y"}),
            ("size__gte", "5", {"Beta"}),
            ("size__gt", "5", set()),
            ("size__lt", "5", {"alpha"}),
            ("size__lte", "5", {"alpha", "Beta"}),
            ("size", "2147483647", set()),
            ("share", "0.5", {"alpha"}),
            ("share__lt", "inf", {"alpha", "100%_x\\y"}),
            ("place__isnull", "true", {"Beta"}),
            ("place__isnull", "false", {"alpha", "100%_x\\y"}),
            ("seen__gt", "2026-11-21T10:00:00+01:00", {"Beta"}),
            ("seen__lte", str(MORNING.timestamp()), {"alpha"}),
            ("flag", "true", {"Beta"}),
            ("q", "berl", {"alpha"}),
            ("q", "   ", {"alpha", "Beta", "100%_x\\y"}),
            ("q", "%", {"100%_x\\y"}),
            ("q", "x" * 10_000, set()),
        ],
    )
    async def test_filter(self, named, name, text, found):
        outcome = await page(named, (name, text))
        assert {row.name for row in outcome.rows} == found
        assert outcome.count == len(found)

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("secret_hash", "x"),
            ("name__regex", ".*"),
            ("name__", "x__"),
            ("__class__", "x"),
            ("name", "\x00"),
            ("q", "\x00"),
            ("name", "\ud800"),
            ("q", "\ud800"),
            ("name", "x" * 301),
            ("name__in", ",".join("x" * 201)),
            ("size", "1e3"),
            ("size", "2147483648"),
            ("big", "9223372036854775808"),
            ("flag__gt", "true"),
            ("size", "9" * 5000),
            ("size", "' OR 1=1"),
            ("size__contains", "1"),
            ("share", "much"),
            ("seen", "yesterday"),
            ("seen", "2026-11-21T10:00:00"),
            ("seen", "1e400"),
            ("seen", "nan"),
            ("seen", "-1"),
            ("id", "no-uuid"),
            ("id__in", "no-uuid"),
            ("flag", "maybe"),
            ("place__isnull", "maybe"),
            ("limit", "0"),
            ("limit", "1001"),
            ("limit", "-1"),
            ("limit", "٣"),
            ("limit", "1e2"),
            ("ordering", "id"),
            ("ordering", "--name"),
            ("ordering", "name; DROP TABLE devices"),
            ("cursor", "x"),
            ("cursor", "ä"),
            ("cursor", "[" * 5000),
            ("cursor", encode_cursor(["n", "a"])),
            ("cursor", encode_cursor(["n", "a", "no-uuid"])),
            ("cursor", encode_cursor(["n", "a\x00", str(UUID(int=1))])),
            ("cursor", encode_cursor(["n", "\ud800", str(UUID(int=1))])),
        ],
    )
    async def test_hostile_parameter_is_refused_by_name(self, named, name, text):
        with pytest.raises(InvalidInputError) as refusal:
            await page(named, (name, text))
        assert refusal.value.fields[0].field == name

    async def test_cursor_of_another_ordering(self, named):
        first = await page(named, ("limit", "1"))
        with pytest.raises(InvalidInputError):
            await page(named, ("ordering", "seen"), ("cursor", dict(query_of(first.next))["cursor"]))


class TestCursor:
    @given(
        st.lists(st.none() | st.integers() | st.text(st.characters(codec="utf-8")), min_size=3, max_size=3)
    )
    def test_round_trip(self, values):
        assert decode_cursor(encode_cursor(values), 3) == values

    @given(st.text())
    def test_anything_else_is_refused_or_has_the_length(self, text):
        with contextlib.suppress(InvalidInputError):
            assert len(decode_cursor(text, 3)) == 3


class TestStatement:
    def test_order_of_nullable_columns_uses_a_literal(self):
        """An index on the same expression can only serve a literal."""
        assert str(LISTING.fields["size"].sort_expression).endswith("-1)")
