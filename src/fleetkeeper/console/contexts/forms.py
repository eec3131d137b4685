"""What the parts of forms need that the server answers by themselves."""

from collections.abc import Sequence
from dataclasses import dataclass

from fleetkeeper.console.contexts.panels import Option


@dataclass(frozen=True)
class Suggestions:
    """What a field offers while one types."""

    options: Sequence[Option]
