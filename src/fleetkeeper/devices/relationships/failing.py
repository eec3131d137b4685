"""What fails when a device fails. Pure.

- What it hosts fails with it.
- What it powers fails once nothing else that works powers it.
- What it connects is cut off once no network device that it is connected to works. Only the failure of a network
  device cuts others off: a server that fails takes no switch with it.

Who manages or backs something up may fail without it.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

HARMFUL = ("hosts", "powers", "connects_to")


@dataclass(frozen=True)
class Link:
    """A relationship; read it as a sentence: parent, type, child."""

    parent: UUID
    child: UUID
    type: str

    def other(self, device: UUID) -> UUID:
        """Its other end."""
        return self.child if self.parent == device else self.parent


@dataclass(frozen=True)
class Reason:
    """Why a device fails: by which kind of relationship, and by whose failure."""

    type: str
    via: UUID


def may_fail_with(failed: Collection[UUID], links: Iterable[Link], networks: Collection[UUID]) -> set[UUID]:
    """The devices that one link takes from those that failed, whether or not something else keeps them up."""
    found: set[UUID] = set()
    for link in links:
        if link.type in ("hosts", "powers") and link.parent in failed:
            found.add(link.child)
        elif link.type == "connects_to":
            ends = (link.parent, link.child)
            found.update(link.other(end) for end in ends if end in failed and end in networks)
    return found - set(failed)


def reason_to_fail(
    device: UUID, links: Iterable[Link], failed: Collection[UUID], networks: Collection[UUID]
) -> Reason | None:
    """Why a device fails once others have failed, by all its links; None while something keeps it up."""
    own = [link for link in links if device in (link.parent, link.child)]
    above = {
        "hosts": [link.parent for link in own if link.type == "hosts" and link.child == device],
        "powers": [link.parent for link in own if link.type == "powers" and link.child == device],
        "connects_to": [
            link.other(device)
            for link in own
            if link.type == "connects_to" and link.other(device) in networks
        ],
    }
    for kind, devices in above.items():
        if devices and all(one in failed for one in devices):
            return Reason(kind, min(devices))
    return None
