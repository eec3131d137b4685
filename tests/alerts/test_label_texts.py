"""Texts of labels: different for different labels, whatever these hold."""

from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.alerts.label_texts import text_of_labels

TEXTS = st.text(st.sampled_from('ab\0\1\xff"\\'), max_size=4)
LABELS = st.dictionaries(TEXTS, TEXTS, max_size=3)


def test_separators_in_values_make_no_other_labels():
    assert text_of_labels({"a": "b\1c"}) != text_of_labels({"a\1b": "c"})
    assert text_of_labels({"a": "b\xffc\xffd"}, "\xff", "\xff") != text_of_labels(
        {"a": "b", "c": "d"}, "\xff", "\xff"
    )


def test_usual_labels_keep_their_text():
    assert text_of_labels({"job": "node", "instance": "a"}) == "instance\1a\0job\1node"


@given(LABELS, LABELS)
def test_equal_only_for_equal_labels(one, other):
    for separators in (("\1", "\0"), ("\xff", "\xff")):
        assert (text_of_labels(one, *separators) == text_of_labels(other, *separators)) == (one == other)
