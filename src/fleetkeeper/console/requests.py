"""What pages read from a request: whether htmx asks for a part only, the settings, and forms."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request


def is_htmx_request(request: Request) -> bool:
    """Whether htmx asks, for a part of a page or for the whole."""
    return request.headers.get("HX-Request") == "true"


def is_fragment_request(request: Request) -> bool:
    """Whether htmx asks for a part of the page; going back in history asks for the whole."""
    return is_htmx_request(request) and request.headers.get("HX-Request-Type") == "partial"


async def form_values(request: Request) -> Mapping[str, str]:
    """A form's texts by name; files are not expected anywhere and left out."""
    form = await request.form(max_files=0, max_fields=100)
    return {name: value for name, value in form.items() if isinstance(value, str)}


async def form_lists(request: Request) -> Mapping[str, list[str]]:
    """All texts of a form by name, for fields that may come several times."""
    form = await request.form(max_files=0, max_fields=200)
    return {name: [value for value in form.getlist(name) if isinstance(value, str)] for name in form}


WantsFragment = Annotated[bool, Depends(is_fragment_request)]
FormValues = Annotated[Mapping[str, str], Depends(form_values)]
FormLists = Annotated[Mapping[str, list[str]], Depends(form_lists)]
