"""The words of validation errors as people at a form need them. Pure."""

import re

# Patterns in pydantic's messages, and what the console says instead.
_PLAIN = (
    (r"^Input should be a valid number.*", "Must be a number"),
    (r"^Input should be a valid integer.*", "Must be a whole number"),
    (r"^Input should be ", "Must be "),
    (r"^String should have at least 1 character$", "Must not be empty"),
    (r"^String should have at most ", "Must have at most "),
    (r"^String should match pattern.*", "Must not have such characters"),
)


def plain_words(message: str) -> str:
    """An error's message without the talk of inputs and strings."""
    for pattern, words in _PLAIN:
        changed, count = re.subn(pattern, words, message)
        if count:
            return changed
    return message
