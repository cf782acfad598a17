"""Alerts and recording rules: what the PrometheusRule says, that alerts fire and clear, and that each has its page."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from render.chart import CHART, ROOT, Manifest, RefusedError, Rendered, Values, render
from render.promtool import IMAGE, found

RULES = CHART / "rules" / "rowlock.rules.yaml"
CASES = Path(__file__).parent / "rules"
RUNBOOKS = ROOT / "docs" / "runbooks"
NAME = re.compile(r"\browlock[_:][a-z0-9_:]+")
#: Of a histogram Prometheus keeps three.
PARTS = re.compile(r"_(bucket|count|sum)$")
SEVERITIES = {"critical", "warning", "info"}

Promtool = Callable[..., str]


def rules(more: Values | None = None, *, over: Values | None = None) -> Rendered:
    """The chart with its rules; `over` are other values of the rules."""
    metrics = {"metrics": {"rules": {"enabled": True, **(over or {})}}}
    return render({**metrics, **(more or {})})


def groups(rendered: Rendered) -> list[Manifest]:
    (rule_object,) = rendered.kind("PrometheusRule")
    parts: list[Manifest] = rule_object["spec"]["groups"]
    return parts


def all_of(rendered: Rendered) -> list[Manifest]:
    return [rule for group in groups(rendered) for rule in group["rules"]]


def alerts(rendered: Rendered) -> dict[str, Manifest]:
    return {rule["alert"]: rule for rule in all_of(rendered) if "alert" in rule}


def records(rendered: Rendered) -> set[str]:
    return {rule["record"] for rule in all_of(rendered) if "record" in rule}


def goal(rendered: Rendered, record: str) -> dict[str, float]:
    """What a constant of goals says, by the pools that it is for."""
    found = {}
    for rule in all_of(rendered):
        if rule.get("record") == record:
            pools, number = re.findall(r'pool=~"([^"]+)".* \* ([0-9.]+)$', " ".join(rule["expr"].split()))[0]
            found[pools] = float(number)
    return found


def firing_in_cases() -> Iterator[str]:
    """Every alert that some case expects to fire."""
    for case in CASES.glob("*.yaml"):
        for test in yaml.safe_load(case.read_text())["tests"]:
            for question in test["promql_expr_test"]:
                for sample in question["exp_samples"]:
                    yield from re.findall(r'alertname="(\w+)"', sample["labels"])


def unknown(queries: list[str]) -> set[str]:
    """What queries ask for and neither docs/metrics.md nor a recording rule has."""
    known = set(NAME.findall((ROOT / "docs" / "metrics.md").read_text())) | records(rules())
    asked = {name for query in queries for name in NAME.findall(query)}
    return {name for name in asked if name not in known and PARTS.sub("", name) not in known}


def queries_of_runbooks() -> list[str]:
    texts = [page.read_text() for page in RUNBOOKS.glob("*.md")]
    blocks = [block for text in texts for block in re.findall(r"```promql\n(.*?)```", text, re.DOTALL)]
    return [line for block in blocks for line in block.splitlines()]


@pytest.fixture(scope="module")
def promtool() -> Promtool:
    """Prometheus' own checker."""
    program = found(reading=ROOT)
    if program is None:
        pytest.skip(f"NEITHER PROMTOOL NOR {IMAGE} IN DOCKER HERE: whether alerts fire is not tested")
    return lambda *arguments, given="": run([*program, *arguments], given)


def run(command: list[str], given: str = "") -> str:
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_no_rules_without_the_operator() -> None:
    assert render().kind("PrometheusRule") == []


def test_prometheus_finds_the_rules_by_a_label() -> None:
    (found,) = rules(over={"labels": {"release": "monitoring"}}).kind("PrometheusRule")

    assert (
        found["metadata"]["labels"].items() >= {"release": "monitoring", "app.kubernetes.io/component": "rules"}.items()
    )


def test_the_plain_file_is_what_the_templates_say() -> None:
    made = run([sys.executable, str(ROOT / "scripts" / "rules"), "--stdout"])

    assert made == RULES.read_text(), "run scripts/rules"


def test_prometheus_takes_the_rules(promtool: Promtool) -> None:
    assert "SUCCESS" in promtool("check", "rules", str(RULES))


@pytest.mark.parametrize("case", sorted(CASES.glob("*.yaml")), ids=lambda path: path.stem)
def test_alerts_fire_and_clear(case: Path, promtool: Promtool) -> None:
    assert "SUCCESS" in promtool("test", "rules", str(case))


def test_every_alert_fires_in_a_case() -> None:
    assert set(alerts(rules())) == set(firing_in_cases())


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    pages = {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"}

    assert set(alerts(rules())) == pages


def test_the_index_links_every_page() -> None:
    linked = re.findall(r"\]\((Rowlock\w+)\.md\)", (RUNBOOKS / "README.md").read_text())

    assert sorted(linked) == sorted(alerts(rules()))


def test_every_alert_says_how_bad_it_is_and_what_users_feel() -> None:
    for name, alert in alerts(rules()).items():
        notes = alert["annotations"]
        assert alert["labels"]["severity"] in SEVERITIES, name
        assert notes["summary"].endswith("."), name
        assert notes["description"].endswith("."), name
        assert notes["runbook_url"].endswith(f"/docs/runbooks/{name}.md"), name


def test_rules_ask_for_nothing_that_nothing_exports() -> None:
    assert unknown([rule["expr"] for rule in all_of(rules())]) == set()


def test_queries_of_runbooks_ask_for_nothing_that_nothing_exports() -> None:
    assert unknown(queries_of_runbooks()) == set()


def test_queries_of_runbooks_are_queries(promtool: Promtool) -> None:
    made = [{"record": f"query{number}", "expr": query} for number, query in enumerate(queries_of_runbooks())]
    file = json.dumps({"groups": [{"name": "runbooks", "rules": made}]})

    assert f"{len(made)} rules found" in promtool("check", "rules", given=file)


def test_rules_look_at_their_own_namespace_alone() -> None:
    for rule in all_of(rules()):
        for selector in re.findall(r"\browlock[_:][a-z0-9_:]+(\{[^}]*\})?", rule["expr"]):
            assert selector.startswith('{namespace="demo"'), rule["expr"]


def test_rules_may_look_at_every_namespace() -> None:
    assert all("namespace=" not in rule["expr"] for rule in all_of(rules(over={"namespace": ""})))


def test_every_pool_has_its_goals() -> None:
    rendered = rules({"workers": {"heavy": {"goals": {"waitSeconds": 600, "failureShare": 0.2}}}})

    assert goal(rendered, "rowlock:pool:wait_goal_seconds") == {"default": 60, "heavy": 600}
    assert goal(rendered, "rowlock:pool:wait_goal_share") == {"default|heavy": 0.99}
    assert goal(rendered, "rowlock:pool:failure_goal_share") == {"default": 0.05, "heavy": 0.2}


def test_the_share_over_goal_is_counted_at_the_bound_of_the_goal() -> None:
    rendered = rules(
        {"workerDefaults": {"goals": {"waitSeconds": 2.5}}, "workers": {"heavy": {"goals": {"waitSeconds": 600}}}}
    )

    counted = {
        tuple(re.findall(r'pool=~"(\w+)",le="([0-9.]+)"', rule["expr"])[0])
        for rule in all_of(rendered)
        if rule.get("record") == "rowlock:pool:wait_over_goal:ratio_rate5m"
    }

    assert counted == {("default", "2.5"), ("heavy", "600.0")}


def test_a_goal_is_a_bound_that_the_histogram_has() -> None:
    with pytest.raises(RefusedError, match="/workers/heavy/goals/waitSeconds"):
        rules({"workers": {"heavy": {"goals": {"waitSeconds": 90}}}})


def test_a_pool_is_stalled_only_after_its_time_limit() -> None:
    rendered = rules({"workers": {"heavy": {"taskTimeLimit": 7200}}})

    moving = [rule["expr"] for rule in all_of(rendered) if rule.get("record") == "rowlock:pool:moving"]

    assert any('pool=~"heavy"' in expr and "offset 7260s" in expr for expr in moving), moving
    assert any('pool=~"default"' in expr and "offset 360s" in expr for expr in moving), moving


def test_single_alerts_are_switched_off_and_changed() -> None:
    chosen = {"RowlockDeadLetters": {"enabled": False}, "RowlockStalled": {"for": "30s", "severity": "page"}}

    found = alerts(rules(over={"alerts": chosen}))

    assert "RowlockDeadLetters" not in found
    assert (found["RowlockStalled"]["for"], found["RowlockStalled"]["labels"]["severity"]) == ("30s", "page")
    assert found["RowlockNoConsumers"]["for"] == "5m"


def test_every_alert_carries_the_labels_that_route_it() -> None:
    for name, alert in alerts(rules(over={"alertLabels": {"team": "rowing"}})).items():
        assert alert["labels"]["team"] == "rowing", name


def test_thresholds_are_values() -> None:
    assert alerts(rules(over={"thresholds": {"outboxSeconds": 300}}))["RowlockOutboxNotDraining"]["expr"].endswith(
        "> 300"
    )


def test_pages_may_be_elsewhere() -> None:
    found = alerts(rules(over={"runbookUrl": "https://wiki.example.com/rowlock/"}))

    assert found["RowlockStalled"]["annotations"]["runbook_url"] == "https://wiki.example.com/rowlock/RowlockStalled.md"


def test_a_misspelt_alert_is_refused() -> None:
    with pytest.raises(RefusedError, match="RowlockDeadLetter"):
        rules(over={"alerts": {"RowlockDeadLetter": {"enabled": False}}})


def test_the_schema_knows_every_alert() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())

    known = schema["properties"]["metrics"]["properties"]["rules"]["properties"]["alerts"]["propertyNames"]["enum"]

    assert known == sorted(alerts(rules()))


def test_without_the_app_only_what_the_collector_sees_can_fire() -> None:
    found = alerts(rules({"app": {"rowlock": False}}))

    assert found.keys() >= {"RowlockNoConsumers", "RowlockOldestMessageOverGoal", "RowlockCollectorGone"}
    assert not found.keys() & {
        "RowlockBeatNotTicking",
        "RowlockStalled",
        "RowlockWaitOverGoal",
        "RowlockOutboxNotDraining",
    }


def test_a_beat_that_is_not_wanted_is_not_missed() -> None:
    assert "RowlockBeatNotTicking" not in alerts(rules({"beat": {"enabled": False}}))


def test_a_collector_that_is_not_wanted_is_not_missed() -> None:
    more = {"metrics": {"rules": {"enabled": True}, "collector": {"enabled": False}}}

    assert "RowlockCollectorGone" not in alerts(rules(more))


def test_rules_without_pools_are_rules() -> None:
    found = rules({"workerDefaults": {"enabled": False}})

    assert "rowlock:pool:wait_goal_seconds" not in records(found)
    assert "RowlockWebDown" in alerts(found)
