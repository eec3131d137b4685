"""Where in a query its error is."""

import pytest

from fleetkeeper.telemetry.promql.errors import BadDataError
from fleetkeeper.telemetry.promql.parsing import parse_query

# The wrong part stands between marks.
WRONG = (
    "sum«(»",
    "«rate»(foo)",
    'foo«{»a="b"',
    "cpu «usage» percent",
    "sum by (x) (foo) «)»",
    "foo «+»",
    "foo{a=«b»}",
    "«nosuch»(foo)",
    "1 + «nosuch»(foo)",
    "foo[«5x»]",
    'foo + «"abc»',
    "1 + + «{}»",
    "rate«(»foo[5m]",
    'foo{a=~«"("»}',
    "foo + «$»x",
    "foo\n  + bar «baz»",
    'sum by (a) (rate(foo{x="y"}[5m])) / sum «bar»',
    "rate(foo[5m])«)» + 1",
    "avg by (a «b») (foo)",
    'foo{a="b" «c»="d"}',
    "foo == bool 1 «2»",
    '"é😀" + foo «bar»',
)


@pytest.mark.parametrize("marked", WRONG)
def test_the_wrong_part_is_named(marked):
    query = marked.replace("«", "").replace("»", "")
    with pytest.raises(BadDataError) as caught:
        parse_query(query)
    assert caught.value.place == (marked.index("«"), marked.index("»") - 1)


@pytest.mark.parametrize("query", ["", "  ", "# nothing"])
def test_no_place_where_none_is_known(query):
    with pytest.raises(BadDataError) as caught:
        parse_query(query)
    assert caught.value.place is None


@pytest.mark.parametrize(
    "call", ["query?query=", "query_range?start=0&end=60&step=60&query=", "format_query?query="]
)
async def test_the_api_says_it(shared, call):
    answer = await shared.viewer.get(f"/prometheus/api/v1/{call}sum(up) up")
    assert answer.status_code == 400
    assert answer.json()["place"] == [8, 10]


async def test_other_errors_have_no_place(shared):
    answer = await shared.viewer.get("/prometheus/api/v1/query?query=up&time=soon")
    assert answer.status_code == 400
    assert "place" not in answer.json()
