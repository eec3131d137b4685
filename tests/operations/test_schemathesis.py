"""The API does what its own description says, whatever is sent to it: by Schemathesis, for three kinds of callers."""

import asyncio
from collections.abc import Mapping

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# An open stream never ends; tests/telemetry/test_stream.py reads it.
ENDLESS = "/api/v1/telemetry/stream"
# Each example is one request; more of them find little more and take long.
EXAMPLES = 4


@schemathesis.serializer("application/x-protobuf")
def as_it_is(context: schemathesis.SerializationContext, value: object) -> bytes:
    """Bodies of senders: the description says no more of them than that they are bytes."""
    del context
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


async def send(client: httpx.AsyncClient, case: Case) -> httpx.Response:
    """One generated request; the client adds its credential."""
    arguments = case.as_transport_kwargs(base_url="http://localhost")
    prepared = requests.Request(**arguments).prepare()
    headers = {name: value for name, value in prepared.headers.items() if name.lower() != "authorization"}
    return await client.request(prepared.method, prepared.url, headers=headers, content=prepared.body or b"")


def problems_of(
    operation, clients: Mapping[str, httpx.AsyncClient], loop: asyncio.AbstractEventLoop
) -> list[str]:
    """Send requests that fit the description and ones that do not; what the answers have against them.

    Each caller sends each of them: to think them out takes longer than to answer.
    """
    problems: dict[str, None] = {}
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy(generation_mode=mode))
        def check(case: Case) -> None:
            for caller, client in clients.items():
                answer = asyncio.run_coroutine_threadsafe(send(client, case), loop).result(120)
                try:
                    case.validate_response(answer, checks=CHECKS)
                except FailureGroup as failures:
                    for failure in failures.exceptions:
                        problems.setdefault(f"{operation.label} by {caller}: {failure}")

        try:
            check()
        except Unsatisfiable:
            # Nothing can be wrong with a request that holds nothing.
            assert mode is GenerationMode.NEGATIVE
        except schemathesis.errors.InvalidSchema as error:
            problems.setdefault(f"{operation.label}: {error}")
    return list(problems)


async def test_api_keeps_to_its_description(app, admin, viewer, device):
    clients = {"admin": admin, "viewer": viewer, "device": device.client}
    description = (await admin.get("/api/v1/openapi.json")).json()
    schema = schemathesis.openapi.from_dict(description).exclude(path=ENDLESS)
    operations = [item.ok() for item in schema.get_all_operations()]
    assert len(operations) > 20
    loop = asyncio.get_running_loop()
    problems = []
    for operation in operations:
        # Schemathesis is not asynchronous and the application is, so it asks from a thread.
        problems += await asyncio.to_thread(problems_of, operation, clients, loop)
    assert not problems, "\n\n".join(problems)


async def test_undocumented_answer_is_found(shared):
    description = (await shared.anonymous.get("/api/v1/openapi.json")).json()
    operation = description["paths"]["/api/v1/me"]["get"]
    operation["responses"]["204"] = operation["responses"].pop("200")
    schema = schemathesis.openapi.from_dict(description).include(path="/api/v1/me")
    (found,) = [item.ok() for item in schema.get_all_operations()]
    loop = asyncio.get_running_loop()
    problems = await asyncio.to_thread(problems_of, found, {"viewer": shared.viewer}, loop)
    assert problems
    assert all("by viewer: Undocumented" in problem for problem in problems)
