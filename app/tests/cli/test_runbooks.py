"""What runbooks tell people to type is what `manage.py rowlock` takes."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import load_command_class
from django.urls import resolve

from rowlock.runs.query import parse
from tests.processes import APP

RUNBOOKS = sorted((APP.parent / "docs" / "runbooks").glob("*.md"))
WORDS = {"ID": str(UUID(int=1)), "NAME": "example.tasks.basic.add", "QUEUE": "email", "TEXT": "text"}


def commands(page: Path) -> Iterator[list[str]]:
    """The words after `manage.py rowlock`, in blocks and in lines, with something for what is to be filled in."""
    for found in re.findall(r"manage\.py rowlock ([^`\n]+)", page.read_text()):
        text = found
        for word, instead in WORDS.items():
            text = re.sub(rf"\b{word}\b", instead, text)
        yield shlex.split(text)


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda path: path.stem)
def test_commands_of_a_runbook_can_be_typed(page: Path) -> None:
    parser = load_command_class("rowlock", "rowlock").create_parser("manage.py", "rowlock")
    for words in commands(page):
        given = vars(parser.parse_args(words))
        parse(given.get("query") or " ".join(given.get("words", [])))


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda path: path.stem)
def test_pages_of_the_console_that_a_runbook_names_are_there(page: Path) -> None:
    for path in re.findall(r"`(/console/[^`]*)`", page.read_text()):
        resolve(path)


def test_there_are_commands_in_runbooks() -> None:
    assert sum(len(list(commands(page))) for page in RUNBOOKS) > 10
