"""Patterns of texts with their meaning in words: people are told the words, never the pattern."""

import re

_words: dict[str, str] = {}
_CHOICES = re.compile(r"\^\(([\w|-]+)\)\$")
_FORBIDDEN_CHARACTERS = re.compile(r"\^\[\^(?:\\(?:x\w{2}|u\w{4})-?)+\][*+]\$")


def shaped(pattern: str, words: str) -> str:
    """The pattern, for a field. `words` follow “Must”, as in `be a domain such as example.com`."""
    _words[pattern] = words
    return pattern


def pattern_words(pattern: str) -> str | None:
    """What a text must be to match; None for a pattern that nobody gave words."""
    if pattern in _words:
        return f"Must {_words[pattern]}"
    if choices := _CHOICES.fullmatch(pattern):
        *others, last = choices[1].split("|")
        return f"Must be {', '.join(others)} or {last}" if others else f"Must be {last}"
    return "Must not contain control characters" if _FORBIDDEN_CHARACTERS.fullmatch(pattern) else None
