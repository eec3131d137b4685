"""Functions on texts: letters, hosts and ports, links, replacement by patterns."""

import re
from ipaddress import ip_address
from urllib.parse import quote_plus, unquote, urlsplit

from fleetkeeper.alerts.templates.effort import MAX_VALUE_LENGTH, Effort
from fleetkeeper.alerts.templates.errors import FunctionError
from fleetkeeper.kit.expressions import PatternError, compile_pattern, weight_of
from fleetkeeper.telemetry.promql.literals import duration_of
from fleetkeeper.telemetry.promql.patterns import expand

# What a pattern may take for a text, and what the steps of a whole template may take.
_WEIGHT_A_STEP = 20_000
_COMPILE_WEIGHT_A_STEP = 50
_HTML = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&#34;",
    "'": "&#39;",
    "\0": "\N{REPLACEMENT CHARACTER}",
}
_HTML_MARKS = re.compile("[&<>\"'\0]")


def title(text: str) -> str:
    """The first letter of each word as a capital. What parts words is Go's: not `_`, but any other sign of ASCII."""
    found: list[str] = []
    is_first = True
    for mark in text:
        found.append(_one(mark, mark.upper()) if is_first else mark)
        is_word = mark.isalnum() or mark == "_" or (ord(mark) > 127 and not mark.isspace())
        is_first = not is_word
    return "".join(found)


def upper(text: str) -> str:
    """Capitals, one for each letter."""
    return "".join(_one(mark, mark.upper()) for mark in text)


def lower(text: str) -> str:
    """Small letters, one for each letter."""
    return "".join(mark.lower()[:1] for mark in text)


def _one(mark: str, other: str) -> str:
    return other if len(other) == 1 else mark


def html(text: str) -> str:
    """Go's HTMLEscaper."""
    return _HTML_MARKS.sub(lambda found: _HTML[found[0]], text)


def url_query(text: str) -> str:
    """Go's url.QueryEscape."""
    return quote_plus(text, safe="")


def graph_link(expression: str) -> str:
    """The address of a graph."""
    return f"/graph?g0.expr={url_query(expression)}&g0.tab=0"


def table_link(expression: str) -> str:
    """The address of a table."""
    return f"/graph?g0.expr={url_query(expression)}&g0.tab=1"


def path_of(address: str) -> str:
    """The path of an address."""
    try:
        return unquote(urlsplit(address).path)
    except ValueError:
        return ""


def _split(text: str) -> tuple[str, str] | None:
    """Host and port, as Go's net.SplitHostPort has them; None where there is no port."""
    colon = text.rfind(":")
    if colon < 0:
        return None
    if text.startswith("["):
        end = text.find("]")
        if end < 0 or end + 1 != colon:
            return None
        host, rest = text[1:end], text[1:end] + text[colon:]
    else:
        host, rest = text[:colon], text
        if ":" in host:
            return None
    return None if "[" in rest or "]" in rest else (host, text[colon + 1 :])


def strip_port(text: str) -> str:
    """The host of `host:port`."""
    parts = _split(text)
    return parts[0] if parts else text


def strip_domain(text: str) -> str:
    """`host:port` without the host's domain; addresses stay as they are."""
    host, port = _split(text) or (text, "")
    if _is_address(host):
        return text
    name = host.split(".")[0]
    if not port:
        return name
    return f"[{name}]:{port}" if ":" in name or "%" in name else f"{name}:{port}"


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def parse_duration(text: str) -> float:
    """The seconds of a duration such as 1h30m."""
    micros = duration_of(text) if text else None
    if text == "0":
        micros = 0
    if micros is None:
        raise FunctionError(f"{text[:50]!r} is not a duration such as 1h30m")
    return micros / 1_000_000


def _pattern(pattern: str, text: str, effort: Effort) -> object:
    try:
        weight = weight_of(pattern)
        effort.spend(1 + weight // _COMPILE_WEIGHT_A_STEP + weight * len(text) // _WEIGHT_A_STEP)
        return compile_pattern(pattern, groups=True)
    except PatternError as error:
        raise FunctionError(f"the pattern is not a regular expression of RE2: {error}") from None


def match(effort: Effort, pattern: str, text: str) -> bool:
    """Whether a pattern is anywhere in a text."""
    ready: object = _pattern(pattern, text, effort)
    return ready.search(text) is not None  # type: ignore[attr-defined]


def replace_all(effort: Effort, pattern: str, replacement: str, text: str) -> str:
    """The text with what a pattern finds replaced; `$1` and `${name}` are its groups."""
    ready: object = _pattern(pattern, text, effort)
    pieces: list[str] = []
    last, left = 0, MAX_VALUE_LENGTH
    end = -1
    for found in ready.finditer(text):  # type: ignore[attr-defined]
        effort.spend()
        # An empty one right behind another does not count in Go.
        if found.start() == found.end() == end:
            continue
        piece = expand(replacement, found, left)
        if piece is None:
            raise FunctionError(f"a value is longer than {MAX_VALUE_LENGTH} characters")
        pieces += (text[last : found.start()], piece)
        left -= len(piece)
        last = end = found.end()
    pieces.append(text[last:])
    return "".join(pieces)
