import json

from django.core.management.base import CommandParser

from rowlock import audit
from rowlock.management.arguments import positive
from rowlock.management.describe import local_time
from rowlock.management.output import Output
from rowlock.management.subcommand import Options, Subcommand
from rowlock.runs.presentation import moment

_HEADS = ("time", "actor", "via", "action", "kind", "target", "detail")


def _add_arguments(parser: CommandParser) -> None:
    parser.add_argument("--actor", default="", metavar="NAME", help="only what this user did")
    parser.add_argument("--kind", default="", help="only what was done to runs, queues, schedules, users, ...")
    parser.add_argument("--target", default="", help="only what was done to this one")
    parser.add_argument("--limit", type=positive, default=50, metavar="N", help="so many at the most (50)")
    parser.add_argument("--json", action="store_true", help="for programs")


def _run(options: Options, output: Output) -> None:
    names = ("actor", "kind", "target", "limit")
    found = audit.page(**{name: options[name] for name in names}).entries
    if options["json"]:
        output.json([audit.presented(entry) for entry in found])
    elif found:
        output.table(
            _HEADS,
            [
                [
                    local_time(moment(entry.moment)),
                    entry.actor,
                    entry.via,
                    entry.action,
                    entry.kind,
                    entry.target,
                    ", ".join(
                        f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in entry.details.items()
                    ),
                ]
                for entry in found
            ],
        )
    else:
        output.remark("Nobody has done anything yet.")


SUBCOMMAND = Subcommand(name="audit", help="show who did what, newest first", add_arguments=_add_arguments, run=_run)
