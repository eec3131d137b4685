"""What Entra and Okta document that they send: each request with what it is answered and what is so afterwards.

The files have cases: `given` are PATCH bodies sent before, `then` is part of the resource afterwards, and `absent` are
attributes that it lacks. Names in braces stand for resources that the test makes.
"""

import json
import re
from itertools import count
from pathlib import Path
from typing import Any

import pytest

CORPUS = Path(__file__).parents[2] / "corpus" / "scim"
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['name']}")
    for path in sorted(CORPUS.glob("*.json"))
    for case in json.loads(path.read_text())["cases"]
]
_numbers = count(1)


def filled(value: Any, names: dict[str, str]) -> Any:
    """A value with the names in braces filled in."""
    if isinstance(value, dict):
        return {filled(key, names): filled(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, names) for inner in value]
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda match: names[match[1]], value)
    return value


def holds(found: Any, expected: Any) -> bool:
    """Whether everything that is expected is so; lists have as many entries, in any order."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            key in found and holds(found[key], value) for key, value in expected.items()
        )
    if isinstance(expected, list):
        return len(found) == len(expected) and all(
            any(holds(one, wanted) for one in found) for wanted in expected
        )
    return found == expected


async def made(client, kind: str, body: dict[str, Any]) -> str:
    answer = await client.post(f"/scim/v2/{kind}", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


@pytest.mark.parametrize("case", CASES)
async def test_request(shared, case):
    client, unique = shared.admin, f"corpus-{next(_numbers)}"
    names = {"unique": f"{unique}-x", "username": unique, "groupname": f"{unique}-group"}
    names["taken"] = f"{unique}-other@example.org"
    work = {"value": f"{unique}@work.example.org", "type": "work", "primary": True}
    names["user"] = await made(client, "Users", {"userName": unique, "emails": [work]})
    taken = {"value": names["taken"], "primary": True}
    if re.search(r"\{(other|taken|group|groupname)\}", json.dumps(case)):
        names["other"] = await made(client, "Users", {"userName": f"{unique}-other", "emails": [taken]})
    if re.search(r"\{(group|groupname)\}", json.dumps(case)):
        body = {"displayName": names["groupname"], "members": [{"value": names["other"]}]}
        names["group"] = await made(client, "Groups", body)
    address = f"/scim/v2{filled(case['path'], names)}"
    patched = address if case["method"] == "PATCH" else f"/scim/v2/Users/{names['user']}"
    for body in filled(case.get("given", []), names):
        answer = await client.patch(patched, json=body)
        assert answer.status_code == 200, answer.text
    body = filled(case["body"], names)
    answer = await client.request(case["method"], address, json=body)
    assert answer.status_code == case["status"], answer.text
    if case["method"] == "DELETE":
        assert (await client.get(address)).status_code == 404
        return
    shown = answer.json()
    if case["method"] != "GET":
        where = f"{address}/{shown['id']}" if case["method"] == "POST" else address
        shown = (await client.get(where)).json()
    expected = filled(case["then"], names)
    assert holds(shown, expected), json.dumps(shown, indent=1)
    for name in case.get("absent", ()):
        assert name not in shown
