from django.core.management.base import CommandParser
from django.utils import timezone

from rowlock.management.output import Output
from rowlock.management.subcommand import Options, Subcommand
from rowlock.workers.presence import Present, list_workers
from rowlock.workers.presentation import presented

_HEADS = ("worker", "pool", "kind", "queues", "running", "prefetched", "seen", "executes")
#: Runs that are named in a row.
_NAMED = 3


def _add_arguments(parser: CommandParser) -> None:
    parser.add_argument("action", choices=("list",))
    parser.add_argument("--json", action="store_true", help="list for programs")


def _run(options: Options, output: Output) -> None:
    workers = list_workers()
    if options["json"]:
        output.json([presented(present) for present in workers])
    elif workers:
        output.table(_HEADS, [_row(present) for present in workers])
    else:
        output.remark("No worker was seen within a day.")


def _row(present: Present) -> list[str]:
    worker = present.worker
    seen = "gone" if present.is_gone else "draining" if worker.draining else f"{_seconds_since(present)}s ago"
    tasks = [run.task for run in present.runs]
    more = f" and {len(tasks) - _NAMED} more" if len(tasks) > _NAMED else ""
    return [
        worker.name,
        worker.pool,
        worker.concurrency,
        ",".join(worker.queue_names),
        f"{worker.running}/{worker.slots}",
        str(worker.prefetched),
        seen,
        ", ".join(tasks[:_NAMED]) + more,
    ]


def _seconds_since(present: Present) -> int:
    return max(0, round((timezone.now() - present.worker.seen).total_seconds()))


SUBCOMMAND = Subcommand(
    name="worker", help="list the workers and what each executes", add_arguments=_add_arguments, run=_run
)
