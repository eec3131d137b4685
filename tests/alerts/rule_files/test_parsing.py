"""What is a rule file, as promtool sees it; what is wrong is said all at once; files come back the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.alerts.rule_files.contents import FileGroup, FileRule, RuleFile, RuleFileError
from fleetkeeper.alerts.rule_files.parsing import parse
from fleetkeeper.alerts.rule_files.reading import read
from fleetkeeper.alerts.rule_files.rendering import render
from fleetkeeper.kit.durations import duration, milliseconds
from tests.alerts.promtool import accepts
from tests.alerts.rule_files.facts import REFUSED, TAKEN, file


def is_taken(text: str) -> bool:
    try:
        _, problems = parse(text)
    except RuleFileError:
        return False
    return not problems


class TestAcceptance:
    @pytest.mark.parametrize("text", TAKEN)
    def test_taken(self, text):
        assert is_taken(text)

    @pytest.mark.parametrize("text", REFUSED)
    def test_refused(self, text):
        assert not is_taken(text)

    def test_as_promtool(self, tmp_path):
        for text in (*TAKEN, *REFUSED):
            taken, said = accepts(tmp_path, text)
            assert is_taken(text) == taken, (text, said)


class TestProblems:
    def test_all_at_once_with_their_places(self):
        text = (
            "groups:\n- name: disk\n  rules:\n  - alert: Full\n    expr: up{\n    fo: 5m\n"
            "  - alert: Slow\n    expr: up\n    for: soon\n    annotations:\n      summary: '{{ $x }'\n"
        )
        with pytest.raises(RuleFileError) as caught:
            read(text)
        found = [(one.line, one.group, one.rule, one.field) for one in caught.value.problems]
        assert found == [
            (5, "disk", "Full", "expr"),
            (6, "disk", "Full", "fo"),
            (9, "disk", "Slow", "for"),
            (11, "disk", "Slow", "annotations.summary"),
        ]
        assert "Line 9, group 'disk', rule 'Slow', for: Not a duration; write 30s, 5m or 1h30m" in str(
            caught.value
        )

    def test_what_cannot_be_stored_is_among_them_and_nothing_comes_twice(self):
        text = (
            "groups:\n- name: disk\n  interval: 2d\n  rules:\n"
            "  - record: cpu_usage_percent\n    expr: up\n"
            "  - record: a:b\n    expr: up[5m]\n"
            "  - alert: Full\n    expr: up{\n    for: soon\n    labels:\n      a: '{{ $x }'\n"
        )
        with pytest.raises(RuleFileError) as caught:
            read(text)
        problems = [str(one) for one in caught.value.problems]
        agents = "Line 5, group 'disk', rule 'cpu_usage_percent', record"
        assert problems[:3] == [
            "Line 3, group 'disk', interval: Must be at most 86400",
            f"{agents}: Agents send a metric of this name; choose another name",
            "Line 8, group 'disk', rule 'a:b', expr: Must give an instant vector or a scalar",
        ]
        assert [(one.line, one.field) for one in caught.value.problems[3:]] == [
            (10, "expr"),
            (11, "for"),
            (13, "labels.a"),
        ]

    @pytest.mark.parametrize(
        "text",
        [
            "[" * 50_000,
            "groups: " + "[" * 30 + "]" * 30,
            "a: &a [x,x,x,x,x,x,x,x,x]\n"
            + "".join(
                f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)
            ),
            "groups: &a [*a]",
            "x" * 600_000,
            "groups: []\n---\ngroups: []\n",
            file('{alert: "a\\0", expr: up}'),
            "groups: !!python/object/apply:os.system ['true']",
        ],
        ids=["open", "deep", "bomb", "circle", "large", "documents", "zero", "object"],
    )
    def test_hostile(self, text):
        with pytest.raises(RuleFileError):
            read(text)


TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0{"), max_size=20)
NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0{"), min_size=1, max_size=20)
LABELS = st.dictionaries(st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True), TEXTS, max_size=3)
MS = st.integers(0, 10**12)
EXPR = st.sampled_from(["up == 0", 'rate(a{b="é"}[5m]) > 1', "1", "up\n  > 0"])
RULES = st.one_of(
    st.builds(
        FileRule, expr=EXPR, alert=NAMES, for_ms=MS, keep_firing_ms=MS, labels=LABELS, annotations=LABELS
    ),
    st.builds(FileRule, expr=EXPR, record=st.from_regex(r"[a-z:]{1,9}", fullmatch=True), labels=LABELS),
)
GROUPS = st.builds(
    FileGroup,
    NAMES,
    MS,
    st.integers(0, 1000),
    MS,
    st.lists(RULES, max_size=3).map(tuple),
)


@given(st.lists(GROUPS, max_size=3, unique_by=lambda one: one.name).map(lambda found: RuleFile(tuple(found))))
def test_what_is_written_reads_the_same(contents):
    assert parse(render(contents)) == (contents, [])


@given(MS)
def test_durations_come_back(total):
    assert milliseconds(duration(total)) == total


def test_durations_look_as_in_prometheus():
    assert [duration(one) for one in (0, 90_000, 5_400_000, 604_800_000, 1)] == [
        "0s",
        "1m30s",
        "1h30m",
        "1w",
        "1ms",
    ]
