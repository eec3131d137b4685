"""Lists, forms, facts: the panels that pages are made of."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fleetkeeper.console.contexts.lists import ListPanel
from fleetkeeper.console.contexts.shell import Shell, TabLink


@dataclass(frozen=True)
class Option:
    """A value that can be chosen."""

    value: str
    label: str
    is_chosen: bool = False
    hint: str = ""
    # The state of devices that its mark stands for.
    mark: str = ""


@dataclass(frozen=True)
class Entry:
    """A field of a form. `kind` is an input's type, or `select`, `choice` (one of few, in full), `ticks` or `area`.

    A `duration` is shown and entered as 5m, and kept as seconds. A `zone` is a select of time zones, in which the
    browser's own takes the place of an empty value.
    `only_if` names choices of the form, such as `kind=state reduce=mean`: without any of them it is out of sight.
    """

    name: str
    label: str
    value: str = ""
    kind: str = "text"
    hint: str = ""
    error: str = ""
    options: tuple[Option, ...] = ()
    is_required: bool = True
    autocomplete: str = "off"
    only_if: str = ""
    # The bounds of a number.
    minimum: str = ""
    maximum: str = ""
    # Where the values are had that it offers while one types.
    suggestions: str = ""


@dataclass(frozen=True)
class FormPreview:
    """A second button of a form: what it would do, shown below the form without doing it.

    `spans` are how many days it may look back, sent as `preview_days`; `progress` is said meanwhile.
    """

    action: str
    label: str
    spans: tuple[Option, ...]
    progress: str
    result: "Fragment | None" = None


@dataclass(frozen=True)
class EntryForm:
    """A form in a card; one that is closed opens with a click, or when it was refused."""

    id: str
    title: str
    action: str
    submit: str
    entries: tuple[Entry, ...] = ()
    text: str = ""
    message: str = ""
    is_open: bool = False
    is_danger: bool = False
    # The answer takes the form's place, and the page stays.
    stays: bool = False
    preview: FormPreview | None = None

    kind = "form"


@dataclass(frozen=True)
class Tag:
    """A word in a frame; `tone` is good, warning, bad or nothing. `hint` shows when it is pointed at."""

    text: str
    tone: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Fragment:
    """A part of a page with a template of its own, which gets the names of `context`, a dataclass."""

    template: str
    context: Any

    kind = "fragment"


@dataclass(frozen=True)
class Cell:
    """What stands in a cell: text, perhaps as a link or with a second line, and tags.

    `kind` is text, or `time` (of `at`), `share` (a percentage as a bar), `status`, `device_type` or `code`
    (of `text`), or `fragment`.
    """

    text: str = ""
    href: str = ""
    detail: str = ""
    tags: tuple[Tag, ...] = ()
    at: datetime | None = None
    kind: str = "text"
    share: float | None = None
    style: str = "relative"
    indent: int = 0
    is_soft: bool = False
    fragment: Fragment | None = None


@dataclass(frozen=True)
class RowAction:
    """A button in a row or in a page's head. It asks before it acts, and says what follows.

    One that `shows_page` answers with a page, such as one with a secret; the others lead somewhere.
    """

    label: str
    action: str
    confirm: str
    is_danger: bool = True
    shows_page: bool = False


@dataclass(frozen=True)
class Row:
    """A row of a table."""

    cells: tuple[Cell, ...]
    actions: tuple[RowAction, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table in a card."""

    id: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    text: str = ""
    empty: str = "Nothing here yet."
    count: int | None = None
    # The page's own address while the table changes by itself.
    refresh_href: str = ""
    # On a phone, the cells of a row stand below each other, as in lists.
    is_stacked: bool = False
    # So that each cell but the first then says its column.
    is_labelled: bool = False

    kind = "table"

    @property
    def has_actions(self) -> bool:
        """Whether a row has a button."""
        return any(row.actions for row in self.rows)


@dataclass(frozen=True)
class Facts:
    """Labels and what they say."""

    id: str
    title: str
    facts: tuple[tuple[str, Cell], ...]

    kind = "facts"


@dataclass(frozen=True)
class Secret:
    """The one time that a secret is shown."""

    id: str
    title: str
    secret: str
    text: str

    kind = "secret"


@dataclass(frozen=True)
class Code:
    """Lines to copy."""

    id: str
    title: str
    text: str
    code: str

    kind = "code"


@dataclass(frozen=True)
class Matrix:
    """Which role allows what: a row per permission with a tick per role."""

    id: str
    roles: tuple[Cell, ...]
    rows: tuple[tuple[str, bool, tuple[bool, ...]], ...]

    kind = "matrix"


@dataclass(frozen=True)
class Upload:
    """A form that sends files one by one to an address, each with its name as the parameter `name`."""

    id: str
    title: str
    action: str
    max_bytes: int
    hint: str
    # The pages of what is made of files: after one file, its page is opened.
    pages: str = ""

    kind = "upload"


Panel = EntryForm | ListPanel | Table | Facts | Secret | Code | Matrix | Upload | Fragment


@dataclass(frozen=True)
class Note:
    """A line above everything else on a page, with where it leads; `tone` is empty or `bad`."""

    text: str
    href: str = ""
    link: str = ""
    tone: str = ""


@dataclass(frozen=True)
class PanelPage:
    """A page of panels; with `head` it has another one than the title with its tags and links."""

    shell: Shell
    title: str
    crumbs: tuple[tuple[str, str], ...]
    tags: tuple[Tag, ...]
    links: tuple[tuple[str, str], ...]
    tabs: tuple[TabLink, ...]
    panels: tuple[Panel, ...]
    csrf_token: str
    head: Fragment | None = None
    notes: tuple[Note, ...] = ()
    actions: tuple[RowAction, ...] = ()
