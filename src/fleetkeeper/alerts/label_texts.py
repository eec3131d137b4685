"""Sets of labels as texts, to be hashed. Pure."""

import json
from collections.abc import Mapping
from typing import Any


def text_of_labels(labels: Mapping[str, Any], within: str = "\1", between: str = "\0") -> str:
    """A text that no other labels have, whatever they hold.

    Labels that hold one of the separators are written as JSON in ASCII, which has none of them unescaped.
    """
    texts = (*labels, *map(str, labels.values()))
    if any(one in text for text in texts for one in (within, between)):
        return json.dumps(sorted(labels.items()))
    return between.join(f"{name}{within}{labels[name]}" for name in sorted(labels))
