"""Showing runs while they go on: bars on a terminal, lines elsewhere."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from rowlock.management.describe import happening, state_of
from rowlock.management.output import Output, printable
from rowlock.models import Run, State
from rowlock.runs.presentation import summary

#: With more runs, only their ends are told one by one.
FEW = 10


class Display(Protocol):
    """What `watch` tells."""

    def update(self, run: Run) -> None: ...

    def gone(self, id: UUID) -> None: ...

    def trouble(self, text: str) -> None: ...


@contextmanager
def display(ids: Sequence[UUID], output: Output) -> Iterator[Display]:
    terminal = output.terminal()
    if terminal is None:
        yield Lines(output, only_ends=len(ids) > FEW)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[state]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("{task.fields[happening]}", markup=False),
    )
    with Progress(*columns, console=Console(file=terminal)) as progress:
        yield OneBar(progress, len(ids)) if len(ids) > FEW else BarEach(progress)


class Lines:
    """A line for each thing that changed."""

    def __init__(self, output: Output, *, only_ends: bool) -> None:
        self._output = output
        self._only_ends = only_ends
        self._last: dict[UUID | None, str] = {}

    def update(self, run: Run) -> None:
        if State(run.state).is_final or not self._only_ends:
            self._tell(run.id, _line(run))

    def gone(self, id: UUID) -> None:
        self._tell(id, f"{id} was deleted")

    def trouble(self, text: str) -> None:
        self._output.remark(text)

    def _tell(self, id: UUID, line: str) -> None:
        if self._last.get(id) != line:
            self._last[id] = line
            self._output.line(line)


class BarEach:
    """A bar for each run."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bars: dict[UUID, TaskID] = {}

    def update(self, run: Run) -> None:
        shown = summary(run)
        final = State(run.state).is_final
        total = 1.0 if final else run.progress_total
        done = 1.0 if final else run.progress_done or 0.0
        if run.id not in self._bars:
            self._bars[run.id] = self._progress.add_task(_short_name(run), state="", happening="")
        self._progress.update(
            self._bars[run.id],
            total=total,
            completed=done,
            state=state_of(shown),
            happening=printable(happening(shown)).replace("\n", " "),
        )

    def gone(self, id: UUID) -> None:
        self.trouble(f"{id} was deleted")

    def trouble(self, text: str) -> None:
        self._progress.console.print(Text(printable(text)))


class OneBar:
    """One bar for how many have finished, and a line for each that did not succeed."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._bar = progress.add_task("finished", total=total, state=f"0/{total}", happening="")
        self._total = total
        self._finished = 0

    def update(self, run: Run) -> None:
        if not State(run.state).is_final:
            return
        if run.state != State.SUCCEEDED:
            self.trouble(_line(run))
        self._advance()

    def gone(self, id: UUID) -> None:
        self.trouble(f"{id} was deleted")
        self._advance()

    def trouble(self, text: str) -> None:
        self._progress.console.print(Text(printable(text)))

    def _advance(self) -> None:
        self._finished += 1
        self._progress.update(self._bar, completed=self._finished, state=f"{self._finished}/{self._total}")


def _short_name(run: Run) -> str:
    # The random end of the id: its beginning is the time, the same for runs that were accepted together.
    return f"{run.task.rpartition('.')[2]} …{run.id.hex[-12:]}"


def _line(run: Run) -> str:
    shown = summary(run)
    return "  ".join(filter(None, (shown["id"], shown["task"], state_of(shown), happening(shown).replace("\n", " "))))
