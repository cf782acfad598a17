import json
from typing import Any

from django.core.management.base import CommandParser

from rowlock.management.arguments import run_id
from rowlock.management.describe import happening, local_time, state_of, took
from rowlock.management.output import Output
from rowlock.management.selection import run_of
from rowlock.management.subcommand import Options, Subcommand
from rowlock.models import Run
from rowlock.runs.logs import shown_log
from rowlock.runs.presentation import detail

_PLAIN = ("queue", "owner", "key", "parent", "retry_of", "priority", "worker", "attempts", "deliveries", "retries")
_TIMES = ("created", "due", "expires", "published", "started", "finished")
_REDACTED = "(redacted)"


def _add_arguments(parser: CommandParser) -> None:
    parser.add_argument("id", type=run_id, metavar="ID", help="the id of the run")
    parser.add_argument("--json", action="store_true", help="as JSON, as the API has it")
    parser.add_argument("--log", action="store_true", help="instead: what it has logged so far")


def _run(options: Options, output: Output) -> None:
    if options["log"]:
        _show_log(run_of(options["id"]), options, output)
        return
    shown = detail(run_of(options["id"]))
    if options["json"]:
        output.json(shown)
        return
    output.line(f"{shown['task']} {shown['id']}")
    for label, text in _lines(shown):
        output.line(f"{label.replace('_', ' ') + ':':<12}{text}")
    if shown["error"] and shown["error"]["traceback"]:
        output.line()
        output.line(shown["error"]["traceback"])


def _show_log(run: Run, options: Options, output: Output) -> None:
    shown = shown_log(run)
    if options["json"]:
        output.json(shown)
    elif shown["redacted"]:
        output.remark("What this task logs is neither kept nor shown.")
    elif not shown["executions"]:
        output.remark("It has logged nothing.")
    for execution in [] if options["json"] else shown["executions"]:
        output.remark(f"Attempt {execution['attempt']} on {execution['worker'] or 'no worker'}:")
        output.line(execution["text"].removesuffix("\n"))


def _lines(shown: dict[str, Any]) -> list[tuple[str, str]]:
    lines = [("state", state_of(shown))]
    lines += [(name, str(shown[name])) for name in _PLAIN if shown[name] not in (None, "", 0)]
    lines += [(name, local_time(shown[name])) for name in _TIMES if shown[name]]
    lines += [("took", took(shown))] if shown["started"] else []
    hidden = shown["arguments_redacted"]
    lines += [(name, _REDACTED if hidden else _json(shown[name])) for name in ("args", "kwargs")]
    if shown["state"] == "succeeded":
        lines.append(
            ("result", _REDACTED if shown["result_redacted"] else shown["result_note"] or _json(shown["result"]))
        )
    elif shown["result_note"]:
        lines.append(("note", shown["result_note"]))
    if shown["error"]:
        lines.append(("error", happening({**shown, "progress": None}, longest=10_000)))
    elif text := happening(shown):
        lines.append(("progress", text))
    return lines


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


SUBCOMMAND = Subcommand(name="show", help="show all that is known of one run", add_arguments=_add_arguments, run=_run)
