import argparse
from typing import Any

from django.core.management.base import CommandParser

from rowlock.management.arguments import positive
from rowlock.management.describe import happening, local_time, state_of, took
from rowlock.management.output import Output
from rowlock.management.subcommand import Options, Subcommand, query_word
from rowlock.runs.presentation import moment, summary
from rowlock.runs.query import parse
from rowlock.runs.search import find
from rowlock.runs.viewer import EVERYBODY

_HEADS = ("ID", "TASK", "STATE", "QUEUE", "OWNER", "ACCEPTED", "TOOK", "")
_EXAMPLES = """
examples:
  list state:failed,expired since:1h
  list task:example.tasks.* -owner:ada 'key:"import 7"'
  list timeout                  (in task names, keys, owners and error messages)
"""


def _add_arguments(parser: CommandParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EXAMPLES
    parser.add_argument("words", nargs="*", type=query_word, metavar="QUERY", help="words that must all match")
    parser.add_argument("--limit", type=positive, default=50, metavar="NUMBER", help="at most so many, 50 without")
    parser.add_argument("--cursor", help="go on where an earlier list ended")
    parser.add_argument("--json", action="store_true", help="as JSON, as the API has it")


def _run(options: Options, output: Output) -> None:
    query = parse(" ".join(options["words"]))
    found = find(query, EVERYBODY, cursor=options["cursor"], limit=options["limit"])
    summaries = [summary(run) for run in found.runs]
    if options["json"]:
        output.json({"runs": summaries, "next": found.next, "searched_until": moment(found.searched_until)})
        return
    if summaries:
        output.table(_HEADS, [_row(shown) for shown in summaries])
    if found.searched_until:
        since = local_time(moment(found.searched_until))
        output.remark(f"Only the newest were looked at, back to {since}; go on with --cursor {found.next}")
    elif not summaries:
        output.remark("No run was found.")
    elif found.next:
        output.remark(f"There are more; go on with --cursor {found.next}")


def _row(shown: dict[str, Any]) -> tuple[str, ...]:
    when = local_time(shown["created"])
    return (
        shown["id"],
        shown["task"],
        state_of(shown),
        shown["queue"],
        shown["owner"],
        when,
        took(shown),
        happening(shown, longest=60),
    )


SUBCOMMAND = Subcommand(
    name="list", help="show the newest runs, or those that a query finds", add_arguments=_add_arguments, run=_run
)
