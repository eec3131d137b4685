"""`fleetkeeper request …` on the running product, whose worker answers a ping."""

import json
from functools import partial

from tests.fixtures.product import Product, wait_for


def test_send_answer_and_look(product: Product):
    ask = partial(product.command, "request")
    product.enroll("asks-01")
    wrong = ask("send", "asks-01", "question", "--payload", "[1]")
    assert wrong.returncode == 1
    assert "--payload" in wrong.stderr
    sent = json.loads(ask("send", "asks-01", "question", "--payload", '{"n": 1}', "--json").stdout)
    waiting = json.loads(ask("list", "--waiting", "--json").stdout)
    assert sent["id"] in {one["id"] for one in waiting}
    answered = json.loads(ask("answer", sent["id"], "--content", "The left one", "--json").stdout)
    assert answered["response"]["content"] == {"text": "The left one"}
    assert ask("retry", sent["id"]).returncode == 1
    assert "Fleetkeeper" in ask("handlers").stdout
    ping = json.loads(ask("send", "asks-01", "ping", "--json").stdout)

    def is_answered() -> bool:
        return json.loads(ask("show", ping["id"], "--json").stdout)["status"] == "completed"

    wait_for("answer to the ping", is_answered)
