"""`scripts/bench/run`: what it refuses, and a whole run of one peer."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import APP

COMMAND = (sys.executable, str(APP.parent / "scripts" / "bench" / "run"))


def ended(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=280, check=False)


@pytest.mark.parametrize(
    ("option", "given", "helps"),
    [
        ("--only", "througput", "throughput"),
        ("--peers", "dramatique", "dramatiq 2x8"),
        ("--backlogs", "1000,many", "not a whole number of 1 or more"),
    ],
)
def test_what_it_does_not_know_is_refused_with_a_word_that_helps(
    option: str, given: str, helps: str, tmp_path: Path
) -> None:
    refused = ended(option, given, "--out", str(tmp_path))

    assert refused.returncode != 0
    assert helps in refused.stderr, refused.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("real_services")
def test_a_run_ends_with_figures_of_the_peers_that_it_was_given(tmp_path: Path) -> None:
    chosen = ("--only", "throughput", "--peers", "dramatiq 2x1", "--rounds", "1", "--tasks", "100")

    done = ended(*chosen, "--out", str(tmp_path), "--json", str(tmp_path / "figures.json"))

    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "figures.json").read_text())
    rates = {quantity["title"]: quantity["subjects"]["dramatiq 2x1"]["rounds"] for quantity in told["quantities"]}
    assert {"no-op tasks executed", "10 ms tasks executed"} <= set(rates)
    assert all(len(rounds) == 1 and rounds[0] > 0 for rounds in rates.values()), rates
    assert told["machine"]["versions"]["dramatiq"]
    assert set(told["machine"]["services"]) == {"RabbitMQ", "Postgres", "Redis"}
    assert list(tmp_path.glob("*/results.svg"))
    assert "dramatiq 2x1" in done.stdout
