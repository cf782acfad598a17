"""The chart's dashboards and the web pods agree: on the metrics of requests, and on where runs are found."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import resolve
from prometheus_client import REGISTRY

from rowlock.runs.query import parse

DASHBOARDS = sorted((Path(__file__).parents[3] / "charts" / "rowlock" / "dashboards").glob("*.json"))
#: What Grafana puts in for its variables.
FILLED = {
    "${console:raw}": "http://localhost:8000",
    "${__from:date:iso}": "2026-11-21T09:00:00.000Z",
    "${__to:date:iso}": "2026-11-21T12:00:00.000Z",
    "${__field.labels.task}": "example.tasks.basic.add",
    "${__data.fields.task}": "example.tasks.basic.add",
    "${__field.labels.queue}": "celery",
    "${__field.labels.exception}": "ValueError",
}


def console_links() -> set[str]:
    """Every URL of a dashboard that leads to the console, as a browser gets it."""
    found = set()

    def look(node: dict[str, Any]) -> dict[str, Any]:
        if str(node.get("url", "")).startswith("${console:raw}"):
            found.add(re.sub(r"\$\{[^}]+\}", lambda variable: FILLED[variable[0]], node["url"]))
        return node

    for path in DASHBOARDS:
        json.loads(path.read_text(), object_hook=look)
    return found


@pytest.mark.django_db
def test_the_dashboard_asks_for_metrics_of_web_requests_that_there_are(client: Client) -> None:
    asked = {name for path in DASHBOARDS for name in re.findall(r"\bdjango_http_\w+", path.read_text())}
    client.get("/")

    families = list(REGISTRY.collect())

    parts = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
    exported = {family.name + part for family in families for part in parts.get(family.type, [""])}
    assert asked, "no panel asks for web requests"
    assert asked <= exported, f"nothing exports {sorted(asked - exported)}"


@pytest.mark.parametrize("url", sorted(console_links()))
def test_a_link_leads_to_a_search_that_the_console_takes(url: str) -> None:
    parts = urlsplit(url)
    query = parse_qs(parts.query).get("q", [""])[0]

    view = resolve(parts.path)
    read = parse(query)

    assert view.app_name == "rowlock-console", f"{url} is not the console"
    assert bool(read) is bool(query), f"{query} finds every run"
