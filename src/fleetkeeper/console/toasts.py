"""Short messages in the corner of a page that say what was done."""

import json

from fastapi import Request, Response
from starlette.responses import RedirectResponse

from fleetkeeper.console.requests import is_htmx_request


def with_toast(answer: Response, text: str) -> Response:
    """The same answer, with a message that browsers show. What asked may have left the page by then."""
    answer.headers["HX-Trigger"] = json.dumps({"toast": {"text": text, "target": "body"}})
    return answer


def told(request: Request, address: str, text: str) -> Response:
    """Stay on the page with a message after something was done; without htmx go on to the page at `address`."""
    if is_htmx_request(request):
        answer = Response(status_code=204)
        # Lists on the page ask for themselves anew.
        events = {"toast": {"text": text, "target": "body"}, "list-changed": {"target": "body"}}
        answer.headers["HX-Trigger"] = json.dumps(events)
        return answer
    return RedirectResponse(address, 303)
