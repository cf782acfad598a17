"""The panels of the chart's dashboards, and their queries as Grafana would send them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from render.chart import CHART

FOLDER = CHART / "dashboards"
NAMES = ("overview", "pool", "services", "task")

_KEYWORDS = {"or", "and", "unless", "on", "by", "bool", "ignoring", "group_left", "group_right", "offset", "without"}


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A panel of a dashboard, whose queries hold Grafana's variables."""

    dashboard: str
    title: str
    model: dict[str, Any]
    queries: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.title}"


def dashboard(name: str) -> dict[str, Any]:
    model: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return model


def panels() -> Iterator[Panel]:
    """Every panel with queries."""
    for name in NAMES:
        for model in dashboard(name)["panels"]:
            if model["type"] != "row":
                queries = tuple(target["expr"] for target in model["targets"])
                yield Panel(dashboard=name, title=model["title"], model=model, queries=queries)


def filled(query: str, *, namespace: str) -> str:
    """A query with Grafana's variables replaced: all pools, tasks and queues of a namespace."""
    values = {
        "$__rate_interval": "5m",
        "$__range": "3h",
        "$namespace": namespace,
        "$pool": ".+",
        "$task": ".+",
        "$queue": ".+",
    }
    for variable, value in values.items():
        query = query.replace(variable, value)
    assert "$" not in query, f"nobody knows the variable in {query}"
    return query


def metrics(query: str) -> set[str]:
    """The names of the series that a query asks for."""
    bare = re.sub(r'"[^"]*"', "", query)
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]", "", bare)
    bare = re.sub(r"\b(by|on)\s*\([^)]*\)", "", bare)
    return set(re.findall(r"[a-zA-Z_:][\w:]*\b(?!\s*\()", bare)) - _KEYWORDS
