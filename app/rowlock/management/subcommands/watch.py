from collections import Counter
from collections.abc import Sequence
from time import sleep
from uuid import UUID

from django.core.management.base import CommandError, CommandParser
from django.db import OperationalError, close_old_connections

from rowlock.management import selection
from rowlock.management.output import Output
from rowlock.management.subcommand import Options, Subcommand
from rowlock.management.watching import Display, display
from rowlock.models import Run, State
from rowlock.runs.presentation import HEAVY_COLUMNS

#: Seconds between looks.
PAUSE = 0.5
#: Ids in one question to the database.
BATCH = 500
MOST = 10_000
INTERRUPTED = 130


def watch(ids: Sequence[UUID], output: Output) -> None:
    """Show the runs until all have finished; raises CommandError if one did not succeed."""
    try:
        with display(ids, output) as shown:
            ends = _until_finished(ids, shown)
    except KeyboardInterrupt:
        raise CommandError("Stopped watching; the runs go on.", returncode=INTERRUPTED) from None
    unhappy = {end: number for end, number in ends.items() if end != State.SUCCEEDED.label}
    if unhappy:
        told = ", ".join(f"{number} {end}" for end, number in unhappy.items())
        raise CommandError(f"{sum(unhappy.values())} of {selection.counted(len(ids))} did not succeed: {told}.")


def _until_finished(ids: Sequence[UUID], shown: Display) -> Counter[str]:
    ends: Counter[str] = Counter()
    waiting = list(ids)
    while True:
        found = _look(waiting, shown)
        if found is not None:
            for gone in (run_id for run_id in waiting if run_id not in found):
                ends["deleted"] += 1
                shown.gone(gone)
            for run in found.values():
                shown.update(run)
            finished = [run for run in found.values() if State(run.state).is_final]
            ends.update(State(run.state).label for run in finished)
            waiting = [run.id for run in found.values() if not State(run.state).is_final]
        if not waiting:
            return ends
        sleep(PAUSE)


def _look(ids: Sequence[UUID], shown: Display) -> dict[UUID, Run] | None:
    """The runs; None while the database does not answer, which is no reason to stop watching."""
    found: dict[UUID, Run] = {}
    try:
        for start in range(0, len(ids), BATCH):
            batch = Run.objects.filter(id__in=ids[start : start + BATCH]).defer(*HEAVY_COLUMNS)
            found.update({run.id: run for run in batch})
    except OperationalError as error:
        shown.trouble(f"The database does not answer: {error}")
        close_old_connections()
        return None
    return found


def _run(options: Options, output: Output) -> None:
    selection.check(options)
    if options["query"] is None:
        ids = list(dict.fromkeys(options["ids"]))
        for run_id in ids:
            selection.run_of(run_id)
    else:
        ids = list(selection.found_by(options["query"]).values_list("id", flat=True)[: MOST + 1])
        if len(ids) > MOST:
            raise CommandError(f"More than {MOST} runs are found; ask for fewer.")
        if not ids:
            raise CommandError("No run was found.")
    watch(ids, output)


def _add_arguments(parser: CommandParser) -> None:
    selection.add_arguments(parser)


SUBCOMMAND = Subcommand(
    name="watch",
    help="show progress until all have finished; status 1 if one did not succeed",
    add_arguments=_add_arguments,
    run=_run,
)
