"""Which runs a subcommand is about: those of ids, or those of a query."""

from uuid import UUID

from django.core.management.base import CommandError, CommandParser
from django.db.models import QuerySet
from django.utils import timezone

from rowlock.management.arguments import run_id
from rowlock.management.output import Output
from rowlock.management.subcommand import Options
from rowlock.models import Run
from rowlock.runs.errors import NoSuchRunError
from rowlock.runs.query import parse


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("ids", nargs="*", type=run_id, metavar="ID", help="the id of a run")
    parser.add_argument("--query", metavar="TEXT", help="instead of ids: all runs that this finds, as in `list`")


def add_yes(parser: CommandParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do it without the question")


def check(options: Options) -> None:
    """Raises CommandError unless the runs are told in one way."""
    if bool(options["ids"]) == (options["query"] is not None):
        raise CommandError("Name runs either by their ids or by --query.")


def run_of(id: UUID) -> Run:
    run = Run.objects.filter(id=id).first()
    if run is None:
        raise NoSuchRunError(f"There is no run {id}.")
    return run


def found_by(text: str) -> QuerySet[Run]:
    """The runs that a query finds now and later, without those that are still to be accepted."""
    query = parse(text)
    if not query:
        raise CommandError("The query is empty, which would be every run; for all that wait or run: state:unfinished.")
    return query.filter(Run.objects.filter(created__lte=timezone.now()))


def is_confirmed(question: str, options: Options, output: Output) -> bool:
    if options["yes"] or output.ask(question):
        return True
    output.remark("Nothing was done.")
    return False


def counted(number: int) -> str:
    return "1 run" if number == 1 else f"{number} runs"
