"""TSBS's queries in InfluxQL, and its data as line protocol."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx

from bench.tsbs_kinds import METRICS, THRESHOLD, Case
from bench.tsbs_trial import Answer, Trial

_STEP_NS = 10_000_000_000
_LINES_AT_ONCE = 10_000


class InfluxqlDoors:
    """InfluxDB 1.x over HTTP."""

    def __init__(self, client: httpx.AsyncClient, trial: Trial) -> None:
        self._client = client
        self._devices = {f"host_{number}": str(device) for number, device in enumerate(trial.devices)}

    async def ask(self, case: Case) -> bytes:
        """Ask; the answer is read, and not taken apart."""
        response = await self._client.get(
            "/query", params={"db": "bench", "epoch": "ms", "q": self.statement(case)}
        )
        response.raise_for_status()
        return response.content

    async def answer(self, case: Case) -> Answer:
        """Ask, and put the answer into the common form."""
        content = httpx.Response(200, content=await self.ask(case)).json()
        answer: Answer = {}
        for series in content["results"][0].get("series", []):
            tags: Mapping[str, str] = series.get("tags", {})
            for row in series["values"]:
                answer.update([self._row(case, dict(zip(series["columns"], row, strict=True)), tags)])
        return answer

    def statement(self, case: Case) -> str:
        """The query in InfluxQL."""
        shape, step = case.kind.shape, case.kind.step_seconds
        window = f"time < {_ns(case.end)}"
        if shape != "limit":
            window = f"time >= {_ns(case.start)} AND {window}"
        if case.hosts is not None:
            hosts = " OR ".join(f"host = 'host_{number}'" for number in case.hosts)
            window += f" AND ({hosts})"
        function = "mean" if shape == "double" else "max"
        picked = ", ".join(f"{function}({name}) AS {name}" for name in case.metrics)
        if shape == "last":
            return f"SELECT {', '.join(METRICS)} FROM cpu GROUP BY host ORDER BY time DESC LIMIT 1"
        if shape == "high":
            return f"SELECT host, {', '.join(METRICS)} FROM cpu WHERE {window} AND usage_user > {THRESHOLD}"
        by = f"time({step}s), host" if shape == "double" else f"time({step}s)"
        order = " ORDER BY time DESC LIMIT 5" if shape == "limit" else ""
        return f"SELECT {picked} FROM cpu WHERE {window} GROUP BY {by} fill(none){order}"

    def _row(
        self, case: Case, row: Mapping[str, Any], tags: Mapping[str, str]
    ) -> tuple[tuple[Any, ...], list[float | None]]:
        host = tags.get("host") or row.get("host")
        device = self._devices[host] if host else None
        values = [row[name] for name in case.metrics]
        if case.kind.shape == "last":
            return (device,), values
        if device is None:
            return (row["time"] / 1000,), values
        return (row["time"] / 1000, device), values


def load(url: str, trial: Trial) -> None:
    """Write all samples as whole numbers, in the order of time."""
    hosts, moments, _ = trial.values.shape
    begin = round(trial.start.timestamp()) * 1_000_000_000
    template = ",".join(f"{name}=%di" for name in METRICS)
    templates = [f"cpu,host=host_{host} {template} " for host in range(hosts)]
    lines: list[str] = []
    with httpx.Client(timeout=120, trust_env=False) as client:
        for moment in range(moments):
            stamp = str(begin + moment * _STEP_NS)
            rows = trial.values[:, moment].tolist()
            lines += [text % tuple(row) + stamp for text, row in zip(templates, rows, strict=True)]
            if len(lines) >= _LINES_AT_ONCE or moment == moments - 1:
                client.post(url, content="\n".join(lines).encode()).raise_for_status()
                lines.clear()


def _ns(moment: datetime) -> int:
    return round(moment.timestamp() * 1000) * 1_000_000
