from dataclasses import asdict

from django.core.management.base import CommandError, CommandParser
from kombu.exceptions import OperationalError

from rowlock.broker.topology import DEAD_QUEUE
from rowlock.management import selection
from rowlock.management.output import Output
from rowlock.management.recording import record
from rowlock.management.subcommand import Options, Subcommand
from rowlock.runs import dead_letters

_HEADS = ("id", "task", "queue", "reason", "arguments")


def _add_arguments(parser: CommandParser) -> None:
    parser.add_argument("action", choices=("list", "retry", "drop"))
    parser.add_argument("ids", nargs="*", metavar="ID", help="the id of a task, as `dead list` shows it")
    parser.add_argument("--all", action="store_true", help="instead of ids: every message")
    parser.add_argument("--limit", type=int, default=100, metavar="N", help="list so many at the most (100)")
    parser.add_argument("--json", action="store_true", help="list for programs")
    selection.add_yes(parser)


def _run(options: Options, output: Output) -> None:
    try:
        if options["action"] == "list":
            _list(options, output)
        else:
            _settle(options, output)
    except (OperationalError, OSError) as error:
        raise CommandError(f"The broker cannot be used: {error}") from error


def _list(options: Options, output: Output) -> None:
    letters = [asdict(letter) for letter in dead_letters.look(options["limit"])]
    if options["json"]:
        output.json(letters)
    elif letters:
        output.table(_HEADS, [[letter[head] for head in _HEADS] for letter in letters])
    else:
        output.remark("There are no dead letters.")


def _settle(options: Options, output: Output) -> None:
    if bool(options["ids"]) == options["all"]:
        raise CommandError("Name messages either by the ids of their tasks or by --all.")
    action = options["action"]
    if options["all"] and not selection.is_confirmed(f"{action.capitalize()} every dead letter?", options, output):
        return
    act = dead_letters.retry if action == "retry" else dead_letters.drop
    number = act(None if options["all"] else options["ids"])
    if number:
        target = options["ids"][0] if len(options["ids"]) == 1 else DEAD_QUEUE
        record(action, "dead letters", target, count=number)
    done = "retried" if action == "retry" else "dropped"
    output.line(f"{number} {'dead letter' if number == 1 else 'dead letters'} {done}.")


SUBCOMMAND = Subcommand(
    name="dead",
    help="list, retry or drop the messages in rowlock.dead, which were given up",
    add_arguments=_add_arguments,
    run=_run,
)
