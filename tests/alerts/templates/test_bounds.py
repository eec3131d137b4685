"""What hostile templates may cost, and that any text is rendered or refused with a place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.alerts.templates.effort import MAX_OUTPUT_LENGTH
from fleetkeeper.alerts.templates.errors import TemplateError
from fleetkeeper.alerts.templates.lexing import MAX_TEXT_LENGTH
from fleetkeeper.alerts.templates.template import check, parse
from fleetkeeper.alerts.templates.values import Context, Sample

SAMPLES = [Sample({"x": str(index)}, float(index)) for index in range(200)]
CONTEXT = Context({"a": "b"}, 1.5, query=lambda _: SAMPLES)
LOOP = "{{ range query `x` }}"

HOSTILE = {
    "a" * (MAX_TEXT_LENGTH + 1): "at most",
    "{{ if true }}" * 500 + "{{ end }}" * 500: "nests at most",
    "{{ " + "(" * 500 + "1" + ")" * 500 + " }}": "nests at most",
    '{{ define "x" }}{{ template "x" }}{{ end }}{{ template "x" }}': "nest at most",
    LOOP * 3 + "x" + "{{ end }}" * 3: "more than",
    LOOP + "{{ $labels.a | printf `%900s` }}{{ end }}": "longer than",
    "{{ $x := `aaaaaaaa` }}" + LOOP + "{{ $x = print $x $x }}{{ end }}": "longer than",
    "{{ $x := args 1 }}" + "{{ $x = args $x $x $x $x }}" * 15 + "{{ $x }}": "longer than",
    "{{ $x := args 1 }}" + LOOP + "{{ $x = args $x }}{{ end }}{{ $x }}": "nests too deep",
    "{{ query `x` }}" * 11: "longer than",
    "{{ $x := query `x` }}" * 11: "more than 10 queries",
    "{{ printf `%99999d` 1 }}": "widths up to",
    "{{ printf `%*d` 5 1 }}": "widths and places",
    "{{ reReplaceAll `(((a{100}){100}){100})` `` `a` }}": "steps|pattern is not",
    "{{ match `(\\\\pL{100})` `a` }}" * 2000: "at most",
    LOOP + "{{ match (printf `x{%d}[^a]{900}` 9) `aaaaaaaaaaaaaaaa` }}{{ end }}": "steps",
    "{{ reReplaceAll `` `aaaaaaaaaaaaaaaaaaaa` (printf `%999s` `x`) }}": "longer than",
}


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:40])
def test_what_would_cost_too_much_ends(text):
    with pytest.raises(TemplateError, match=HOSTILE[text]):
        parse(text).render(CONTEXT)


PIECES = st.sampled_from(
    [
        "|",
        "'c'",
        *[
            "{{",
            "}}",
            "{{-",
            "-}}",
            " ",
            "if",
            "else",
            "end",
            "range",
            "with",
            "define",
            "template",
            "block",
            "break",
            "$x",
            ":=",
            "=",
            "(",
            ")",
            ".",
            ".Labels",
            "$labels",
            "$value",
            "1",
            "2.5",
            '"a"',
            "`b`",
            ",",
            "print",
            "printf",
            "args",
            "query",
            "first",
            "index",
            "eq",
            "and",
            "humanize",
            "nil",
            "/*",
            "*/",
            "x",
            "\n",
        ],
    ]
)


@given(st.lists(PIECES, max_size=25).map("".join) | st.lists(PIECES, max_size=15).map(" ".join))
def test_any_text_is_rendered_or_refused_with_a_place(text):
    try:
        found = parse("{{ " + text + " }}").render(CONTEXT)
    except TemplateError as error:
        refused = error
    else:
        assert len(found) <= MAX_OUTPUT_LENGTH
        return
    assert refused.line >= 1
    assert refused.column >= 1


def test_errors_say_line_and_column():
    with pytest.raises(TemplateError, match=r"Line 2, column 6: function 'nothing' not defined") as caught:
        check("first\nas {{nothing}}")
    assert (caught.value.line, caught.value.column) == (2, 6)
    with pytest.raises(TemplateError, match="Line 2, column 4"):
        parse("\n{{ humanize `x` }}").render(CONTEXT)


def test_what_the_query_says_is_the_templates_error():
    def fails(text: str) -> list[Sample]:
        raise ValueError(f"no such metric: {text}")

    with pytest.raises(TemplateError, match="column 4: no such metric: up"):
        parse("{{ query `up` }}").render(Context({}, 0.0, query=fails))
