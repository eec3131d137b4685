"""`fleetkeeper notification …` on the running product, whose worker sends what was emitted."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from functools import partial

from standardwebhooks import Webhook

from tests.console.waiting import eventually
from tests.factories.notifications import receiving


async def test_what_happens_goes_out_and_is_replayed(make_product):
    product = make_product(FLEETKEEPER_OUTGOING__ALLOWED_NETWORKS='["127.0.0.0/8"]')
    await asyncio.to_thread(product.start)
    token = await asyncio.to_thread(product.api_token)

    def post(path: str, body: object) -> dict:
        with product.client(token) as client:
            answer = client.post(f"/api/v1/{path}", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def command(*arguments: str):
        return await asyncio.to_thread(product.command, "notification", *arguments, "--json")

    async with receiving() as receiver:
        wanted = {"name": "Operations", "kind": "webhook", "url": receiver.url}
        channel = await asyncio.to_thread(post, "notification-channels", wanted)
        tested = await command("test", "Operations")
        assert json.loads(tested.stdout) == {"works": True, "detail": "The receiver answered 200."}
        rule = {"name": "Tokens", "events": ["identity.*"], "channel_id": channel["id"]}
        await asyncio.to_thread(post, "notification-rules", rule)
        soon = (datetime.now(UTC) + timedelta(days=2)).isoformat()
        await asyncio.to_thread(post, "tokens", {"name": "short", "expires_at": soon})
        await asyncio.to_thread(
            partial(product.command, "job", "run", "identity.tell_of_expiring_tokens", "--wait")
        )

        async def delivered():
            found = json.loads((await command("deliveries", "--state", "delivered")).stdout)
            return found[0] if found else None

        delivery = await eventually(delivered)
        assert delivery["event"] == "identity.token_expiring"
        headers, body = receiver.requests[-1]
        told = Webhook(channel["signing_secret"]).verify(body, headers)
        assert told["data"]["title"].startswith("Your API token short expires on")
        assert (await command("replay", delivery["id"])).returncode == 0
        await eventually(partial(_has_come, receiver, 3))
    assert "Operations" in (await command("channels")).stdout


async def _has_come(receiver, number: int) -> bool:
    return len(receiver.requests) >= number
