"""Command lines without the secrets that people put into them."""

import re
from collections.abc import Sequence

from fleetkeeper_agent.hostile_text import clean

MASK = "***"
LIMIT = 4000

_SENSITIVE = (
    r"(?:pass(?:word|wd|phrase|code)?|pwd|secrets?|tokens?|api[-_.]?keys?|access[-_.]?keys?|private[-_.]?keys?|"
    r"signing[-_.]?keys?|encryption[-_.]?keys?|auth|authorization|bearer|credentials?|creds?|cookie|session[-_.]?id|"
    r"dsn|connection[-_.]?string|key)"
)
# All repeats are bounded, so that no argument makes the match slow.
_REST = r"[A-Za-z0-9_.\-]{0,40}"
_ASSIGNMENT = re.compile(rf"(?i){_SENSITIVE}{_REST}[\"']?\s{{0,3}}[=:]\s{{0,3}}(?=.)", re.DOTALL)
_OPTION = re.compile(rf"(?i)(?:--?|/)[A-Za-z0-9_.\-]{{0,40}}?{_SENSITIVE}{_REST}")
_URL_USERINFO = re.compile(r"(?i)([a-z][a-z0-9+.\-]{0,20}://)[^/\s@]*(?:@[^/\s@]*)*@")
_SCHEME_CREDENTIAL = re.compile(r"(?i)\b(bearer|basic|digest|token)\s+\S+")
# Programs that take a secret as -pSECRET or behind a short option.
_SHORT_OPTIONS = {
    "mysql": "p",
    "mysqldump": "p",
    "mysqladmin": "p",
    "mariadb": "p",
    "mariadb-dump": "p",
    "sshpass": "p",
    "curl": "u",
    "wget": "u",
    "redis-cli": "a",
    "ldapsearch": "w",
    "smbclient": "U",
    "sqlcmd": "P",
    "bcp": "P",
    "psexec": "p",
}


def mask_arguments(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with what looks like a secret replaced by `***`; the first is the program."""
    program = re.split(r"[/\\]", arguments[0])[-1].lower().removesuffix(".exe") if arguments else ""
    short = _SHORT_OPTIONS.get(program)
    masked = list(arguments[:1])
    secret_next = False
    for argument in arguments[1:]:
        # An option never is the value of the one before it, but a secret may start with a single dash.
        if secret_next and not argument.startswith("--"):
            masked.append(MASK)
            secret_next = False
            continue
        secret_next = bool(_OPTION.fullmatch(argument)) or (short is not None and argument == f"-{short}")
        masked.append(_mask_one(argument, short))
    return masked


def command_line(arguments: Sequence[str | bytes], *, with_arguments: bool) -> str:
    """What is reported of a command line: the program and how many arguments, or all of it, masked."""
    texts = [clean(argument, LIMIT) for argument in arguments]
    if not texts:
        return ""
    if with_arguments:
        return clean(" ".join(mask_arguments(texts)), LIMIT)
    count = len(texts) - 1
    # A process may write its own title over its arguments: "nginx: worker process", or a whole line with
    # secrets.
    program = texts[0] if "/" in texts[0][:1] or " " not in texts[0] else texts[0].split(" ", 1)[0]
    return clean(f"{program} ({count} argument{'' if count == 1 else 's'})" if count else program, LIMIT)


def _mask_one(argument: str, short: str | None) -> str:
    if short is not None and argument.startswith(f"-{short}") and len(argument) > 2 and argument[2:3] != "-":
        return f"-{short}{MASK}"
    # What stands behind the first secret's name goes as a whole: a shell script may hold blanks and more
    # secrets.
    assignment = _ASSIGNMENT.search(argument)
    if assignment is not None:
        argument = argument[: assignment.end()] + MASK
    argument = _URL_USERINFO.sub(rf"\g<1>{MASK}@", argument)
    return _SCHEME_CREDENTIAL.sub(rf"\g<1> {MASK}", argument)
