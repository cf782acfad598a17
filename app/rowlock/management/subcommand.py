"""What each subcommand of `manage.py rowlock` is made of."""

import argparse
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.management.base import CommandParser

from rowlock.management.output import Output

Options = dict[str, Any]

#: Stands before a word of a query that argparse would take for an option.
_MARK = "\0"
_NEGATED_WORD = re.compile(r"-[A-Za-z][A-Za-z_-]*:")


@dataclass(frozen=True, kw_only=True)
class Subcommand:
    """One word after `manage.py rowlock`."""

    name: str
    help: str
    add_arguments: Callable[[CommandParser], None]
    run: Callable[[Options, Output], None]


class SubcommandParser(CommandParser):
    """Takes `-task:name` for the word of a query that it is, not for an option."""

    def parse_known_args(  # type: ignore[override]  # its overloads only tell the type of the namespace
        self, args: Any = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        marked = [_MARK + word if _NEGATED_WORD.match(word) else word for word in args or ()]
        return super().parse_known_args(marked, namespace)


def query_word(word: str) -> str:
    """The type of arguments that are words of a query."""
    return word.removeprefix(_MARK)
