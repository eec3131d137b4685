"""TSBS's queries in PromQL: for Prometheus, VictoriaMetrics and Fleetkeeper's own Prometheus API."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import numpy as np

from bench import remote_write
from bench.tsbs_kinds import METRICS, THRESHOLD, Case
from bench.tsbs_trial import Answer, Trial

_STEP_SECONDS = 10
_HOSTS_AT_ONCE = 50
_MOMENTS_AT_ONCE = 60
"""Ten minutes: Prometheus wants all series to advance together."""


class PromqlDoors:
    """A server that answers PromQL. Labels of a host are `instance`; metrics have TSBS's names."""

    def __init__(self, client: httpx.AsyncClient, trial: Trial, prefix: str = "") -> None:
        self._client = client
        self._prefix = f"{prefix}/api/v1"
        self._devices = {f"host_{number}": str(device) for number, device in enumerate(trial.devices)}
        self._last = trial.start.timestamp() + _STEP_SECONDS * (trial.values.shape[1] - 1)

    async def ask(self, case: Case) -> bytes:
        """Ask; the answer is read, and not taken apart."""
        path, parameters = "query_range", self.parameters(case)
        if case.kind.shape == "last":
            path = "query"
        response = await self._client.get(f"{self._prefix}/{path}", params=parameters)
        response.raise_for_status()
        return response.content

    async def answer(self, case: Case) -> Answer:
        """Ask, and put the answer into the common form."""
        content = httpx.Response(200, content=await self.ask(case)).json()
        return self._taken_apart(case, content["data"]["result"])

    def parameters(self, case: Case) -> Mapping[str, Any]:
        """The query in PromQL. A step stands for the bucket that ends just after it."""
        shape, step = case.kind.shape, case.kind.step_seconds
        if shape == "last":
            return {"query": f'{{__name__=~"{"|".join(METRICS)}"}}', "time": self._last}
        if shape == "high":
            start, end = case.start.timestamp(), case.end.timestamp()
            first = -(-start // _STEP_SECONDS) * _STEP_SECONDS
            last = -(-end // _STEP_SECONDS) * _STEP_SECONDS - _STEP_SECONDS
            hosts = self._hosts(case)
            rows = f'{{__name__=~"{"|".join(METRICS)}"{hosts}}}'
            query = f"{rows} and on(instance) (usage_user{{{hosts[1:]}}} > {THRESHOLD:g})"
            return {"query": query, "start": first, "end": last, "step": _STEP_SECONDS}
        start, end = case.start.timestamp() // step * step, (case.end.timestamp() - 0.001) // step * step
        if shape == "limit":
            start = end - 4 * step
        late = step - 0.001
        return {"query": self.bucket_query(case), "start": start + late, "end": end + late, "step": step}

    def bucket_query(self, case: Case) -> str:
        """Each metric by itself, as functions take its name away."""
        window = f"[{case.kind.step_seconds * 1000 - 1}ms]"
        function = "avg_over_time" if case.kind.shape == "double" else "max_over_time"
        parts = []
        for name in case.metrics:
            part = f"{function}({name}{{{self._hosts(case)[1:]}}}{window})"
            if case.kind.shape != "double":
                part = f"max({part})"
            parts.append(f'label_replace({part}, "metric", "{name}", "", "")')
        return " or ".join(parts)

    def _hosts(self, case: Case) -> str:
        if case.hosts is None:
            return ""
        return f',instance=~"{"|".join(f"host_{number}" for number in case.hosts)}"'

    def _taken_apart(self, case: Case, result: Sequence[Mapping[str, Any]]) -> Answer:
        answer: Answer = {}
        names = list(case.metrics)
        shape, late = case.kind.shape, case.kind.step_seconds - 0.001
        for series in result:
            labels = series["metric"]
            name = labels.get("metric") or labels.get("__name__") or names[0]
            place, device = names.index(name), self._devices.get(labels.get("instance", ""))
            for at, text in series.get("values") or [series["value"]]:
                key: tuple[Any, ...] = (round(at - late, 3),)
                if shape == "double":
                    key = (*key, device)
                elif shape == "high":
                    key = (float(at), device)
                elif shape == "last":
                    key = (device,)
                answer.setdefault(key, [None] * len(names))[place] = float(text)
        return answer


class MetricsqlDoors(PromqlDoors):
    """VictoriaMetrics, whose functions keep names, asked as TSBS asks it."""

    def parameters(self, case: Case) -> Mapping[str, Any]:
        """The same, and not from a cache of earlier answers."""
        return {**super().parameters(case), "nocache": "1"}

    def bucket_query(self, case: Case) -> str:
        """All metrics in one selector."""
        window = f"[{case.kind.step_seconds}s]"
        selector = f'{{__name__=~"{"|".join(case.metrics)}"{self._hosts(case)}}}{window}'
        if case.kind.shape == "double":
            return f"avg_over_time({selector})"
        return f"max(max_over_time({selector})) by (__name__)"


def load(url: str, trial: Trial) -> None:
    """Write all samples by remote_write, in the order of time."""
    hosts, moments, _ = trial.values.shape
    labels = [
        [remote_write.label_bytes({"__name__": name, "instance": f"host_{host}"}) for name in METRICS]
        for host in range(hosts)
    ]
    begin = round(trial.start.timestamp() * 1000)
    with httpx.Client(timeout=120, headers=remote_write.HEADERS, trust_env=False) as client:
        for first in range(0, moments, _MOMENTS_AT_ONCE):
            last = min(first + _MOMENTS_AT_ONCE, moments)
            times = begin + 1000 * _STEP_SECONDS * np.arange(first, last, dtype=np.int64)
            for host in range(0, hosts, _HOSTS_AT_ONCE):
                some = trial.values[host : host + _HOSTS_AT_ONCE, first:last]
                values = some.transpose(0, 2, 1).reshape(-1, last - first)
                series = [one for host_labels in labels[host : host + _HOSTS_AT_ONCE] for one in host_labels]
                client.post(url, content=remote_write.body(series, times, values)).raise_for_status()
