"""The page that asks who you are."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SignInPage:
    """The sign-in form; `next_path` is where it leads."""

    next_path: str
    username: str = ""
    error: str = ""
