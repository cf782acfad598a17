"""What the panels of the chart's dashboards ask."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cluster.harness.release import CHART

#: What Grafana puts in for its own variables.
OWN = {"__rate_interval": "1m", "__interval": "15s", "__range": "15m", "__range_s": "900"}
#: The words of panels that these releases leave empty: they have beat, tasks and web requests, and no TLS inside.
EMPTY_HERE = {"no TLS"}


@dataclass(frozen=True, kw_only=True)
class Question:
    """One query of a panel or of a variable."""

    where: str
    expr: str


def questions(namespace: str) -> list[Question]:
    """The queries of all variables, and of all panels that say something on a healthy system, about one namespace.

    A panel that may be empty on a healthy system says so in words (`noValue`) rather than "No data"; here only those of
    `EMPTY_HERE` are.
    """
    found = []
    for path in sorted((CHART / "dashboards").glob("*.json")):
        dashboard = json.loads(path.read_text())
        for asker, expr in (*_of_variables(dashboard), *_of_panels(dashboard)):
            found.append(Question(where=f"{path.stem}: {asker}", expr=_resolved(expr, namespace)))
    return found


def _of_panels(dashboard: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for panel in _panels(dashboard["panels"]):
        if panel.get("fieldConfig", {}).get("defaults", {}).get("noValue") not in EMPTY_HERE:
            for target in panel.get("targets", []):
                yield panel["title"], target["expr"]


def _of_variables(dashboard: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for variable in dashboard["templating"]["list"]:
        if match := re.fullmatch(r"label_values\((.+), *\w+\)", str(variable.get("query", ""))):
            yield f"${variable['name']}", match[1]


def _panels(panels: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for panel in panels:
        yield panel
        yield from _panels(panel.get("panels", []))


def _resolved(expr: str, namespace: str) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        # Every other variable chooses among values, and stands for all of them.
        return {**OWN, "namespace": namespace}.get(name, ".+")

    return re.sub(r"\$(?:(\w+)|\{(\w+)(?::\w+)?\})", value, expr)
