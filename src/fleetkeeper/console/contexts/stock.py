"""Parts of the pages of stock that have templates of their own."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Label:
    """A part's label to print: the address of its QR code, and what stands beside that."""

    href: str
    code: str
    name: str
