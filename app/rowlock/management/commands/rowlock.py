import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError, ProgrammingError

from rowlock.management.output import Output
from rowlock.management.subcommand import SubcommandParser
from rowlock.management.subcommands import SUBCOMMANDS
from rowlock.runs.errors import RunError


class Command(BaseCommand):
    """`manage.py rowlock`: what the API does, for those with a shell of the project."""

    help = "Submit tasks, look at runs, retry and cancel them."

    def add_arguments(self, parser: CommandParser) -> None:
        subparsers = parser.add_subparsers(
            title="subcommands", metavar="SUBCOMMAND", required=True, parser_class=SubcommandParser
        )
        for subcommand in SUBCOMMANDS:
            subparser = subparsers.add_parser(
                subcommand.name, help=subcommand.help, description=f"{subcommand.help[0].upper()}{subcommand.help[1:]}."
            )
            subcommand.add_arguments(subparser)
            subparser.set_defaults(run=subcommand.run)

    def handle(self, *args: Any, **options: Any) -> None:
        # Not self.stdout: it ends every write with a new line, and a progress bar is many writes.
        output = Output(stdout=options.get("stdout") or sys.stdout, stderr=options.get("stderr") or sys.stderr)
        try:
            options["run"](options, output)
        except RunError as error:
            raise CommandError(str(error)) from error
        except (OperationalError, InterfaceError, ProgrammingError) as error:
            raise CommandError(
                f"The database cannot be used: {str(error).strip()}. Does it run, and has `migrate` been run?"
            ) from error
