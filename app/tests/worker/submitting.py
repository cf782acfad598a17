"""Submitting runs to real workers, and waiting for what becomes of them."""

from typing import Any

from rowlock import runs
from rowlock.models import Run, State
from rowlock.outbox.relay import relay_once
from tests.processes import wait_until


def submitted(task: str, *args: Any, **options: Any) -> Run:
    """A run that is accepted and published."""
    run = runs.submit(f"example.tasks.{task}", args, **options)
    relay_once()
    return run


def becomes(run: Run, state: State, *, seconds: float = 120) -> Run:
    """The run once it is in `state`; fails at once where it ends otherwise."""

    def look() -> bool:
        run.refresh_from_db()
        ended = State(run.state).is_final and run.state != state
        assert not ended, f"{run} has {State(run.state).label}, not {state.label}: {run.error_message}\n{run.traceback}"
        return run.state == state

    wait_until(f"{run} is {state.label}", look, seconds=seconds)
    return run
