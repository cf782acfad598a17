from datetime import timedelta

from django.core.management.base import CommandParser
from django.db import transaction
from django.utils import timezone

from rowlock import runs
from rowlock.management.arguments import duration, duration_or_moment, json_list, json_object, moment
from rowlock.management.output import Output
from rowlock.management.recording import record
from rowlock.management.subcommand import Options, Subcommand
from rowlock.management.subcommands.watch import watch
from rowlock.runs.presentation import summary


def _add_arguments(parser: CommandParser) -> None:
    parser.add_argument("task", metavar="TASK", help="the whole name of the task")
    parser.add_argument(
        "--args", dest="task_args", type=json_list, default=[], metavar="JSON", help="positional arguments, a list"
    )
    parser.add_argument("--kwargs", type=json_object, default={}, metavar="JSON", help="named arguments, an object")
    parser.add_argument("--key", help="submitting again with this key gives back the same run")
    parser.add_argument("--queue", help="another queue than the task's own")
    parser.add_argument("--countdown", type=duration, metavar="DURATION", help="not before this has passed: 90s, 1h30m")
    parser.add_argument("--eta", type=moment, metavar="TIME", help="not before this: 2026-11-01T10:00")
    parser.add_argument("--expires", type=duration_or_moment, metavar="WHEN", help="not after this: 1h or a time")
    parser.add_argument("--priority", type=int, metavar="NUMBER", help="from 0 to 255, if the queue has priorities")
    parser.add_argument("--owner", default="", metavar="NAME", help="the user whose run it is")
    parser.add_argument("--json", action="store_true", help="print the run as JSON instead of its id")
    parser.add_argument("--watch", action="store_true", help="wait until it has finished, as `watch` does")


def _run(options: Options, output: Output) -> None:
    countdown, expires = options["countdown"], options["expires"]
    with transaction.atomic():
        run = runs.submit(
            options["task"],
            options["task_args"],
            options["kwargs"],
            key=options["key"],
            queue=options["queue"],
            countdown=None if countdown is None else countdown.total_seconds(),
            eta=options["eta"],
            expires=timezone.now() + expires if isinstance(expires, timedelta) else expires,
            priority=options["priority"],
            owner=options["owner"],
        )
        if run.is_new:
            record("submit", "run", str(run.id), task=run.task, queue=run.queue)
    if not run.is_new:
        output.remark(f"The key {options['key']} has this run already.")
    if options["json"]:
        output.json(summary(run))
    else:
        output.line(str(run.id))
    if options["watch"]:
        watch([run.id], output)


SUBCOMMAND = Subcommand(
    name="submit", help="accept a task and print the id of its run", add_arguments=_add_arguments, run=_run
)
