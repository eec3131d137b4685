"""Fleetkeeper's answers to TSBS's queries: from the engine in this process, and over HTTP."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import numpy as np

from bench.tsbs_kinds import METRICS, THRESHOLD, Case
from bench.tsbs_trial import Answer
from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.identity.actor import EVERYWHERE, Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.telemetry.explore.last import last_of_all
from fleetkeeper.telemetry.explore.service import MAX_GROUPS, FleetQuery, query_fleet
from fleetkeeper.telemetry.selection import Matcher, find_series, read_series

_ACTOR = Actor("user", "bench", {Permission.TELEMETRY_READ: EVERYWHERE})


class Engine:
    """The engine with one connection."""

    def __init__(self, database: Database, devices: Sequence[UUID], limits: TelemetrySettings) -> None:
        self._database = database
        self._devices = devices
        self._limits = limits

    async def answer(self, case: Case) -> Answer:
        """Ask, and put the answer into the common form."""
        async with self._database.session(product_context("job", "bench"), plans_once=True) as session:
            if case.kind.shape == "last":
                found = await last_of_all(session, _ACTOR, METRICS, 100_000, None)
                return {(str(row.device),): [row.values[name] for name in METRICS] for row in found.results}
            if case.kind.shape == "high":
                return await self._high(session, case)
            answers = [
                await query_fleet(session, _ACTOR, query, self._limits)
                for query in questions(case, self._devices)
            ]
        parts = [
            (series.metric, series.group, series.points) for answer in answers for series in answer.series
        ]
        return _put_together(parts, case)

    async def _high(self, session: Any, case: Case) -> Answer:
        hosts = None if case.hosts is None else [self._devices[n] for n in case.hosts]
        series = await find_series(
            session,
            _ACTOR,
            [[Matcher("__name__", "=", name)] for name in METRICS],
            limit=100_000,
            devices=hosts,
        )
        start, end = (round(moment.timestamp() * 1e6) for moment in (case.start, case.end))
        user = [item for item in series if item.labels["__name__"] == METRICS[0]]
        first = await read_series(session, user, start, end, max_samples=10**9)
        masks = {item.device_id: values > THRESHOLD for item, (_, values) in zip(user, first, strict=True)}
        times = {item.device_id: times for item, (times, _) in zip(user, first, strict=True)}
        some = [item for item in series if masks[item.device_id].any()]
        columns: dict[UUID, dict[str, Any]] = {}
        samples = await read_series(session, some, start, end, max_samples=10**9)
        for item, (_, values) in zip(some, samples, strict=True):
            columns.setdefault(item.device_id, {})[item.labels["__name__"]] = values[masks[item.device_id]]
        answer: Answer = {}
        for device, found in columns.items():
            rows = np.array([found[name] for name in METRICS]).T.tolist()
            moments = (times[device][masks[device]] / 1e6).tolist()
            answer.update(((moment, str(device)), row) for moment, row in zip(moments, rows, strict=True))
        return answer


class Doors:
    """The product over HTTP, as a client sees it: the answer is read, and not taken apart."""

    def __init__(self, client: httpx.AsyncClient, devices: Sequence[UUID]) -> None:
        self._client = client
        self._devices = devices

    async def answer(self, case: Case) -> bytes:
        """Ask."""
        path, asked = "query", _parameters(case, self._devices)
        if case.kind.shape == "last":
            path, asked = "last", [{"metric": list(METRICS), "limit": 10_000}]
        content = b""
        for parameters in asked:
            response = await self._client.get(f"/api/v1/telemetry/{path}", params=parameters)
            response.raise_for_status()
            content += response.content
        return content


def questions(case: Case, devices: Sequence[UUID]) -> list[FleetQuery]:
    """The question, or several of them for a few metrics each, as an answer has at most so many groups."""
    query, together = _query(case, devices), len(case.metrics)
    if query.by:
        together = max(1, MAX_GROUPS // len(query.devices or devices))
    return [
        replace(query, metrics=case.metrics[first : first + together])
        for first in range(0, len(case.metrics), together)
    ]


def _query(case: Case, devices: Sequence[UUID]) -> FleetQuery:
    start, end, by = case.start, case.end, ()
    if case.kind.shape == "limit":
        start = end.replace(second=0, microsecond=0) - timedelta(minutes=4)
    return FleetQuery(
        metrics=list(case.metrics),
        start=start,
        end=end,
        aggregate="avg" if case.kind.shape == "double" else "max",
        by=("device",) if case.kind.shape == "double" else by,
        step=str(case.kind.step_seconds),
        devices=[devices[n] for n in case.hosts or ()],
    )


def _parameters(case: Case, devices: Sequence[UUID]) -> list[dict[str, Any]]:
    if case.kind.shape == "high":
        # What the API has for it: the highest minute of each machine.
        return [
            {
                "metric": METRICS[0], "from": case.start.timestamp(), "to": case.end.timestamp(), "agg": "max",
                "by": "device", "step": 60, "device": [str(devices[n]) for n in case.hosts or ()], "top": 500,
            }
        ]  # fmt: skip
    return [
        {
            "metric": list(query.metrics), "from": query.start.timestamp(), "to": query.end.timestamp(),
            "agg": query.aggregate, "by": list(query.by), "step": query.step,
            "device": [str(one) for one in query.devices],
        }
        for query in questions(case, devices)
    ]  # fmt: skip


def _put_together(
    series: Sequence[tuple[str, dict[str, str], list[tuple[float, float | None]]]], case: Case
) -> Answer:
    answer: Answer = {}
    names = list(case.metrics)
    by_device = case.kind.shape == "double"
    for metric, group, points in series:
        place = names.index(metric)
        for at, value in points:
            if value is not None:
                key = (at, group["device"]) if by_device else (at,)
                answer.setdefault(key, [None] * len(names))[place] = value
    return answer
