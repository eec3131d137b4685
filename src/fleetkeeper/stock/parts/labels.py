"""Labels of parts: a QR code with the part's ID, so that it stays right when the code changes."""

import io
from uuid import UUID

import segno

from fleetkeeper.stock.parts.service import LABEL_PREFIX


def label_of(part_id: UUID) -> bytes:
    """The label as SVG."""
    drawn = io.BytesIO()
    segno.make(f"{LABEL_PREFIX}{part_id}", micro=False, error="m").save(drawn, kind="svg", scale=6, border=2)
    return drawn.getvalue()
