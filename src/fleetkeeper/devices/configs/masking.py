"""Takes secrets out of configurations before they are stored or shown. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

MASK = "<masked>"
# A rule of an administrator may be slow on hostile text; its lines are short.
LONGEST_LINE = 2000


@dataclass(frozen=True)
class MaskingRule:
    """What a secret looks like: the group `secret` of the pattern is masked."""

    name: str
    pattern: str


_NAMES = (
    r"password|passwd|passphrase|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|shared[-_]?key"
    r"|psk(?:secret)?"
)
_VALUE = r"(?P<secret>\"[^\"]*\"|'[^']*'|\S+)"
# How a value is written, which stands before it.
_WAYS = (
    r"encrypted|cipher|simple|irreversible-cipher|ENC|ascii(?:-text)?|hex(?:adecimal)?|md5|sha\d*|[0-9]{1,2}"
)
_FORMS = rf"(?:\s+(?:{_WAYS}))*"
# What Cisco, Arista, Juniper, MikroTik, FortiOS, Linux and files of key and value write.
BUILT_IN = (
    MaskingRule(
        "passwords and secrets",
        rf"(?i)\b(?:password|passwd|secret|passphrase|auth-password|priv-password|psk|wpa-psk|pre-shared-key|psksecret)"
        rf"{_FORMS}[\s=:]+{_VALUE}",
    ),
    MaskingRule("named values", rf"(?i)(?:{_NAMES})[\w.\"'-]{{0,40}}\s*[=:]\s*{_VALUE}"),
    MaskingRule("keys", rf"(?i)\b(?:key|shared-secret)\s*(?:[0-9]{{1,2}}\s+|[=:]\s*){_VALUE}"),
    MaskingRule("elements", rf"(?i)<(?:\w+:)?(?:{_NAMES})[^<>]{{0,100}}>(?P<secret>[^<]+)"),
    MaskingRule("key strings", r"(?i)\bkey-string\s+(?:[0-9]{1,2}\s+)?(?P<secret>\S+)"),
    MaskingRule(
        "digest keys",
        r"(?i)\b(?:message-digest-key|authentication-key)\s+\d+\s+\S+\s+(?:\d\s+)?(?P<secret>\S+)",
    ),
    MaskingRule("keys of IKE", r"(?i)\bisakmp\s+key\s+(?:\d\s+)?(?P<secret>\S+)"),
    MaskingRule("headers", r"(?i)\bauthorization\s*[:=]\s*(?:\w+\s+)?(?P<secret>\S+)"),
    MaskingRule(
        "users of SNMP",
        r"(?i)\b(?:auth|priv)\s+(?:md5|sha\S*|aes\S*|3?des)(?:\s+(?:128|192|256))?\s+(?P<secret>\S+)",
    ),
    MaskingRule("communities of SNMP of Juniper", r"(?i)\bsnmp\s+community\s+(?P<secret>\"[^\"]*\"|\S+)"),
    MaskingRule(
        "communities of SNMP",
        r"(?i)\bsnmp-server\s+(?:community|host\s+\S+(?:\s+version\s+\S+)?)\s+(?P<secret>\S+)",
    ),
    MaskingRule(
        "servers of TACACS and RADIUS",
        r"(?i)\b(?:tacacs|radius)-server\s+(?:host\s+\S+\s+)?key\s+(?:[0-9]\s+)?(?P<secret>\S+)",
    ),
    MaskingRule("hashes of crypt", r"(?P<secret>\$(?:1|2[aby]?|5|6|7|8|9|y|14)\$[^\s\"';]+)"),
    MaskingRule(
        "addresses with passwords",
        r"(?i)\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{1,200}:(?P<secret>[^\s@/]{1,200})@",
    ),
)
# A name whose value stands on the next lines, as JSON, YAML and shells allow; an element that stays open.
_OPEN = re.compile(rf"(?i)(?:{_NAMES})[\w.\"'-]{{0,40}}\s*(?:[=:]\s*[\\|>+-]*\s*|>\s*)$")
# What nobody sees does not hide a name.
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")
_END = re.compile(r"-----END [A-Z0-9 ]*PRIVATE KEY-----")


def masked(text: str, rules: Iterable[MaskingRule] = BUILT_IN) -> str:
    """The text without its secrets; the lines of a private key become one. Masking what is masked changes nothing."""
    patterns = [re.compile(one.pattern) for one in rules]
    lines: list[str] = []
    in_key = is_open = False
    for line in _UNSEEN.sub("", text).split("\n"):
        if in_key:
            in_key = _END.search(line) is None
            continue
        if _BEGIN.search(line):
            in_key = _END.search(line) is None
            lines.append(f"{_BEGIN.sub('', line.partition('-----BEGIN')[0])}{MASK}")
            continue
        if is_open and line.strip():
            lines.append(line[: len(line) - len(line.lstrip())] + MASK)
            is_open = False
            continue
        lines.append(_masked_line(line, patterns))
        is_open = is_open or (len(line) <= LONGEST_LINE and _OPEN.search(line) is not None)
    return "\n".join(lines)


def _masked_line(line: str, patterns: Iterable[re.Pattern[str]]) -> str:
    head, rest = line[:LONGEST_LINE], line[LONGEST_LINE:]
    for pattern in patterns:
        head = pattern.sub(_without_secret, head)
    # Nobody reads so long a line, and it may hold anything.
    return head + (MASK if rest else "")


def _without_secret(match: re.Match[str]) -> str:
    start, end = match.span("secret")
    whole, offset = match.group(0), match.start()
    return f"{whole[: start - offset]}{MASK}{whole[end - offset :]}"
