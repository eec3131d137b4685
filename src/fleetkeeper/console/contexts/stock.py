"""Parts of the pages of stock that have templates of their own."""

from dataclasses import dataclass

from fleetkeeper.console.contexts.space import Chart


@dataclass(frozen=True)
class Label:
    """A part's label to print: the address of its QR code, and what stands beside that."""

    href: str
    code: str
    name: str


@dataclass(frozen=True)
class DemandChart:
    """Weekly demand of a part with its forecast."""

    chart: Chart
