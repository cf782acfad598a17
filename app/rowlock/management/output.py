"""Writing for people and, as JSON, for programs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from django.core.management.base import CommandError


@dataclass(frozen=True, kw_only=True)
class Output:
    """Where a command writes: answers to `stdout`, remarks about them to `stderr`."""

    stdout: TextIO
    stderr: TextIO

    def line(self, text: str = "") -> None:
        print(printable(text), file=self.stdout)

    def remark(self, text: str) -> None:
        print(printable(text), file=self.stderr)

    def json(self, value: Any) -> None:
        print(json.dumps(value, indent=2, ensure_ascii=False), file=self.stdout)

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        cells = [[printable(cell).replace("\n", " ") for cell in row] for row in (heads, *rows)]
        widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
        for row in cells:
            padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            print("  ".join(padded).rstrip(), file=self.stdout)

    def terminal(self) -> TextIO | None:
        """The terminal that somebody looks at; None when the output goes elsewhere."""
        return self.stdout if self.stdout.isatty() else None

    def ask(self, question: str) -> bool:
        """Raises CommandError where nobody can answer."""
        try:
            return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
        except EOFError:
            raise CommandError(
                f"{question} Nobody is there to answer; add --yes to do it without a question."
            ) from None


def printable(text: str) -> str:
    """`text` without what a terminal would obey."""
    return "".join(character if character.isprintable() or character == "\n" else "\ufffd" for character in text)
