from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command

Cli = Callable[..., str]


@pytest.fixture
def rowlock() -> Cli:
    """Runs `manage.py rowlock` with these words; gives what it writes to standard output."""

    def run(*words: str) -> str:
        output = StringIO()
        call_command("rowlock", *words, stdout=output, stderr=StringIO())
        return output.getvalue()

    return run


@pytest.fixture
def remarks() -> Cli:
    """As `rowlock`, but gives what is written to standard error."""

    def run(*words: str) -> str:
        errors = StringIO()
        call_command("rowlock", *words, stdout=StringIO(), stderr=errors)
        return errors.getvalue()

    return run
