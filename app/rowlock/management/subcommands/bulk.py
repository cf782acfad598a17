"""Retrying and cancelling: one run, or all that a query finds."""

from django.core.management.base import CommandParser
from django.db import transaction

from rowlock import runs
from rowlock.management import selection
from rowlock.management.output import Output
from rowlock.management.recording import record
from rowlock.management.subcommand import Options, Subcommand
from rowlock.models import FINAL, UNFINISHED


def _add_arguments(parser: CommandParser) -> None:
    selection.add_arguments(parser)
    selection.add_yes(parser)


def _retry(options: Options, output: Output) -> None:
    selection.check(options)
    for run_id in options["ids"]:
        run = selection.run_of(run_id)
        with transaction.atomic():
            again = runs.retry(run)
            record("retry", "run", str(run.id), task=run.task, new_run=str(again.id))
        output.line(str(again.id))
    if options["query"] is None:
        return
    found = selection.found_by(options["query"]).filter(state__in=FINAL)
    number = found.count()
    if number == 0:
        output.remark("No finished run was found.")
    elif selection.is_confirmed(f"Retry {selection.counted(number)}?", options, output):
        with transaction.atomic():
            retried = runs.retry_all(found)
            record("retry", "runs", options["query"], count=retried)
        output.line(f"{selection.counted(retried)} retried.")


def _cancel(options: Options, output: Output) -> None:
    selection.check(options)
    for run_id in options["ids"]:
        run = selection.run_of(run_id)
        with transaction.atomic():
            was = runs.cancel(run).was
            record("cancel", "run", str(run.id), task=run.task, was=was)
        end = "its worker was told to stop it" if was == "started" else "it is cancelled"
        output.line(f"{run_id} was {was}; {end}.")
    if options["query"] is None:
        return
    found = selection.found_by(options["query"]).filter(state__in=UNFINISHED)
    number = found.count()
    if number == 0:
        output.remark("No run was found that waits or runs.")
    elif selection.is_confirmed(f"Cancel {selection.counted(number)}?", options, output):
        # Before it, for it is many transactions.
        record("cancel", "runs", options["query"], count=number)
        counts = runs.cancel_all(found)
        parts = ", ".join(f"{count} {place}" for place, count in counts.items())
        output.line(f"{selection.counted(sum(counts.values()))} cancelled" + (f" ({parts})." if parts else "."))


RETRY = Subcommand(
    name="retry", help="run again what has finished, and print the new ids", add_arguments=_add_arguments, run=_retry
)
CANCEL = Subcommand(
    name="cancel", help="cancel what is queued, scheduled or running", add_arguments=_add_arguments, run=_cancel
)
