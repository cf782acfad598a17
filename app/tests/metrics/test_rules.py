"""Rules ask for values of labels that are told, and goals for buckets that there are."""

import json
import re
from typing import get_args

from prometheus_client import Histogram

from rowlock.collector.failing import REASONS
from rowlock.collector.snapshot import ALARMS
from rowlock.metrics.buckets import BUCKETS
from rowlock.metrics.tasks import Outcome
from tests.processes import APP

(HISTOGRAM,) = Histogram("h", "-", buckets=BUCKETS, registry=None).collect()
CHART = APP.parent / "charts" / "rowlock"
RULES = (CHART / "rules" / "rowlock.rules.yaml").read_text()
KNOWN = {
    "outcome": set(get_args(Outcome)),
    "reason": set(REASONS),
    "kind": set(ALARMS),
    "state": {"ready", "unacked"},
    "service": {"postgresql", "rabbitmq", "redis"},
    "component": {"web", "worker", "beat", "collector"},
    "le": {sample.labels["le"] for sample in HISTOGRAM.samples if "le" in sample.labels},
}


def test_rules_ask_for_values_that_their_labels_have() -> None:
    for label, known in KNOWN.items():
        asked = {value for found in re.findall(rf'\b{label}[=!]~?"([^"]*)"', RULES) for value in found.split("|")}
        assert asked <= known, f"{label}: {asked - known}"


def test_a_goal_may_be_any_bound_of_the_histogram_of_waiting() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())

    goals = schema["definitions"]["pool"]["properties"]["goals"]["properties"]

    assert goals["waitSeconds"]["enum"] == list(BUCKETS)
