"""The states of an import."""

from enum import StrEnum

from fleetkeeper.kit.status import Machine


class ImportStatus(StrEnum):
    """How far an import is."""

    UPLOADED = "uploaded"
    CHECKED = "checked"
    APPLYING = "applying"
    APPLIED = "applied"
    FAILED = "failed"
    UNDOING = "undoing"
    UNDONE = "undone"


IMPORTS = Machine(
    "import",
    moves={
        ImportStatus.UPLOADED: frozenset({ImportStatus.CHECKED}),
        ImportStatus.CHECKED: frozenset({ImportStatus.UPLOADED, ImportStatus.APPLYING}),
        ImportStatus.APPLYING: frozenset({ImportStatus.APPLIED, ImportStatus.FAILED}),
        ImportStatus.FAILED: frozenset({ImportStatus.UPLOADED, ImportStatus.CHECKED}),
        ImportStatus.APPLIED: frozenset({ImportStatus.UNDOING}),
        ImportStatus.UNDOING: frozenset({ImportStatus.UNDONE}),
        ImportStatus.UNDONE: frozenset(),
    },
    tones={
        ImportStatus.UPLOADED: "",
        ImportStatus.CHECKED: "",
        ImportStatus.APPLYING: "warning",
        ImportStatus.APPLIED: "good",
        ImportStatus.FAILED: "bad",
        ImportStatus.UNDOING: "warning",
        ImportStatus.UNDONE: "",
    },
)
# A person may still change how the file is read.
OPEN = frozenset({ImportStatus.UPLOADED, ImportStatus.CHECKED, ImportStatus.FAILED})
