from django.core.management.base import CommandParser

from rowlock.management.output import Output
from rowlock.management.selection import counted
from rowlock.management.subcommand import Options, Subcommand
from rowlock.upkeep import prune


def _add_arguments(parser: CommandParser) -> None:
    pass


def _run(options: Options, output: Output) -> None:
    output.line(f"{counted(prune())} deleted.")


SUBCOMMAND = Subcommand(
    name="prune",
    help="delete the finished runs that are older or more than is kept",
    add_arguments=_add_arguments,
    run=_run,
)
