"""The queues: listing, pausing, resuming and purging them."""

from django.core.management.base import CommandError, CommandParser
from kombu.exceptions import OperationalError

from rowlock import audit
from rowlock.management import selection
from rowlock.management.output import Output
from rowlock.management.subcommand import Options, Subcommand
from rowlock.queues.depths import QueueState, queue_states
from rowlock.queues.pausing import pause, resume
from rowlock.queues.presentation import presented
from rowlock.queues.purging import count_ready, purge

_HEADS = ("queue", "ready", "unacked", "consumers", "in/s", "out/s", "oldest", "unfinished", "paused")
_UNKNOWN = "?"


def _add_arguments(parser: CommandParser) -> None:
    parser.add_argument("action", choices=("list", "pause", "resume", "purge"))
    parser.add_argument("queue", nargs="?", metavar="QUEUE", help="the name of the queue")
    parser.add_argument("--reason", default="", help="why it is paused, for the others who wonder")
    parser.add_argument("--json", action="store_true", help="list for programs")
    selection.add_yes(parser)


def _run(options: Options, output: Output) -> None:
    if (options["action"] == "list") != (options["queue"] is None):
        raise CommandError("`queue list` takes no name; pause, resume and purge take that of one queue.")
    try:
        _ACTIONS[options["action"]](options, output)
    except (OperationalError, OSError) as error:
        raise CommandError(f"The broker cannot be used: {error}") from error


def _list(options: Options, output: Output) -> None:
    states = queue_states()
    if options["json"]:
        output.json([presented(state) for state in states])
        return
    output.table(_HEADS, [_row(state) for state in states])
    if any(state.depth is None for state in states):
        output.remark("The broker does not answer; what it holds is not known.")


def _pause(options: Options, output: Output) -> None:
    paused = pause(options["queue"], actor=audit.shell_user(), via="cli", reason=options["reason"])
    output.line(f"{paused.queue} is paused, by {paused.by}. Workers finish what runs.")


def _resume(options: Options, output: Output) -> None:
    was_paused = resume(options["queue"], actor=audit.shell_user(), via="cli")
    output.line(f"{options['queue']} {'is resumed' if was_paused else 'was not paused'}.")


def _purge(options: Options, output: Output) -> None:
    queue = options["queue"]
    ready = count_ready(queue)
    if not ready:
        output.remark(f"Nothing waits in {queue}.")
        return
    question = f"Take {_messages(ready)} out of {queue} and cancel their runs?"
    if not selection.is_confirmed(question, options, output):
        return
    left, taken, cancelled, foreign = ready, 0, 0, 0
    while left:
        purged = purge(queue, expect=left, actor=audit.shell_user(), via="cli")
        taken, cancelled, foreign = taken + purged.messages, cancelled + purged.cancelled, foreign + purged.foreign
        left = purged.left if purged.messages else 0
    output.line(f"{_messages(taken)} purged: {selection.counted(cancelled)} cancelled, {foreign} of no run.")


def _row(state: QueueState) -> list[str]:
    depth = state.depth
    numbers = (
        [_UNKNOWN] * 5
        if depth is None
        else [_number(value) for value in (depth.ready, depth.unacked, depth.consumers, depth.rate_in, depth.rate_out)]
    )
    oldest = "" if state.oldest_seconds is None else f"{state.oldest_seconds:.0f}s"
    paused = "" if state.paused is None else " ".join(filter(None, (f"by {state.paused.by}", state.paused.reason)))
    return [state.name, *numbers, oldest, str(state.unfinished), paused]


def _number(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:g}" if isinstance(value, int) else f"{value:.1f}"


def _messages(number: int) -> str:
    return "1 message" if number == 1 else f"{number} messages"


_ACTIONS = {"list": _list, "pause": _pause, "resume": _resume, "purge": _purge}

SUBCOMMAND = Subcommand(
    name="queue", help="list the queues, pause, resume or purge one", add_arguments=_add_arguments, run=_run
)
