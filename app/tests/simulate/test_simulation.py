"""The model behind the chart's defaults: it does what KEDA and the HPA do, and what the test cluster showed."""

import re
from dataclasses import replace
from pathlib import Path
from statistics import mean

import pytest
import yaml

from simulate.loads import LOADS
from simulate.measured import all_ready, measured, modelled, shrinks
from simulate.model import Cluster, Outcome, Pool, Settings, Task

ROOT = Path(__file__).resolve().parents[3]
SEEDS = range(5)
DEFAULTS = Settings()


def outcome(load: str, settings: Settings = DEFAULTS, *, seed: int = 0) -> Outcome:
    return Pool(settings, Cluster(), seed=seed).run(LOADS[load].tasks(seed), LOADS[load].seconds)


def at_once(count: int, seconds: float, settings: Settings) -> Outcome:
    return Pool(settings, Cluster()).run([Task(arrives=60, seconds=seconds)] * count, 900)


def test_the_same_seed_gives_the_same_outcome() -> None:
    assert outcome("on-off", seed=3) == outcome("on-off", seed=3)
    assert outcome("on-off", seed=3) != outcome("on-off", seed=4)


@pytest.mark.parametrize(("count", "pods"), [(1, 1), (4, 2), (9, 5), (100, 20)])
def test_a_pool_grows_to_the_slots_that_are_needed_and_sleeps_again(count: int, pods: int) -> None:
    found = at_once(count, 40, DEFAULTS)

    assert found.peak == pods
    assert found.samples[-1].wanted == 0
    assert len(found.waits) == count


def test_a_pool_never_leaves_its_bounds() -> None:
    found = outcome("ramp", Settings(min=2, max=5))

    wanted = [sample.wanted for sample in found.samples]
    assert (min(wanted), max(wanted)) == (2, 5)


def test_a_pool_that_looks_at_the_wait_too_grows_beyond_its_backlog() -> None:
    many = Settings(messages_per_worker=20)

    assert at_once(40, 60, many).peak < at_once(40, 60, replace(many, max_wait=15)).peak


def test_the_defaults_kill_nothing_and_hardly_flap() -> None:
    for name in LOADS:
        found = [outcome(name, seed=seed) for seed in SEEDS[:3]]
        assert sum(one.started_twice for one in found) == 0, name
        # From down to up, in ten minutes.
        assert mean(one.turns / LOADS[name].seconds * 600 for one in found) <= 1.5, name


def test_who_counts_ready_messages_alone_pays_in_waits() -> None:
    wrong = replace(DEFAULTS, count="ready")

    for load in ("steady", "long tasks"):
        assert mean(outcome(load, wrong, seed=seed).wait(0.95) for seed in SEEDS) > 5 * mean(
            outcome(load, seed=seed).wait(0.95) for seed in SEEDS
        ), load


def test_the_test_cluster_did_what_the_model_says() -> None:
    seen = measured()
    runs = [modelled(seen, seed) for seed in range(100)]

    assert {run.peak for run in runs} == {seen.peak}
    # Where the autoscalers' clocks stood is chance; the measured times are among those that chance gives.
    for what, seconds, said in (
        ("all ready", seen.all_ready, sorted(map(all_ready, runs))),
        ("fewer again", seen.shrinks, sorted(map(shrinks, runs))),
    ):
        assert said[0] <= seconds <= said[-1], f"{what} after {seconds} s, the model says {said[0]} to {said[-1]} s"


def test_the_charts_defaults_are_the_models() -> None:
    values = yaml.safe_load((ROOT / "charts" / "rowlock" / "values.yaml").read_text())["workerDefaults"]["autoscaling"]
    up, down = values["behavior"]["scaleUp"], values["behavior"]["scaleDown"]

    assert (values["wake"], values["polling"], values["cooldown"]) == (
        DEFAULTS.wake,
        DEFAULTS.polling,
        DEFAULTS.cooldown,
    )
    assert {policy["type"]: policy["value"] for policy in up["policies"]} == {
        "Percent": DEFAULTS.up_percent,
        "Pods": DEFAULTS.up_pods,
    }
    assert [policy["value"] for policy in down["policies"]] == [DEFAULTS.down_percent]
    assert down["stabilizationWindowSeconds"] == DEFAULTS.stabilisation


def test_the_docs_tell_what_the_defaults_do() -> None:
    text = (ROOT / "docs" / "autoscaling.md").read_text()

    row = re.search(r"^\| defaults \|(.*)\|$", text, re.MULTILINE)

    assert row, "docs/autoscaling.md has no row of the defaults"
    found = [outcome("few", seed=seed) for seed in SEEDS]
    half, most = (mean(one.wait(share) for one in found) for share in (0.5, 0.95))
    assert row[1].split("|")[0].strip().startswith(f"{half:.0f} / {most:.0f} s"), "run scripts/simulate/run again"
