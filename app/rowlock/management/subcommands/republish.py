from django.core.management.base import CommandParser

from rowlock import runs
from rowlock.management import selection
from rowlock.management.output import Output
from rowlock.management.recording import record
from rowlock.management.subcommand import Options, Subcommand
from rowlock.models import Run, State


def _add_arguments(parser: CommandParser) -> None:
    selection.add_arguments(parser)
    selection.add_yes(parser)


def _run(options: Options, output: Output) -> None:
    selection.check(options)
    chosen = Run.objects.filter(id__in=options["ids"])
    if options["query"] is not None:
        chosen = selection.found_by(options["query"])
    number = chosen.filter(state__in=(State.PUBLISHED, State.RETRYING)).count()
    if number == 0:
        output.remark("No run was found that waits in the broker.")
    elif selection.is_confirmed(f"Publish {selection.counted(number)} once more?", options, output):
        # Before it, for it is many transactions.
        record("republish", "runs", options["query"] or " ".join(map(str, options["ids"])), count=number)
        output.line(f"{selection.counted(runs.republish(chosen))} put back to be published.")


SUBCOMMAND = Subcommand(
    name="republish",
    help="publish again what waits in the broker, after that has lost its data",
    add_arguments=_add_arguments,
    run=_run,
)
