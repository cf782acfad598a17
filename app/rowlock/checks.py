"""Django system checks that explain a wrong setting, and the way for every process to insist on them."""

import sys
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register
from django.core.management.base import BaseCommand, SystemCheckError
from django.db import connection

from rowlock.conf import (
    ConfigurationError,
    beat_lock,
    ceilings,
    grace_seconds,
    health_address,
    pod_with_deletion_cost,
    settings,
    waits_for_migrations,
)

#: Identifies the signal handler by which a worker or beat refuses to start; who loads tasks without being one of them
#: disconnects it.
REFUSAL = "rowlock refuses to start on errors"


@register("rowlock")
def check_health_port(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    try:
        health_address()
    except ConfigurationError as error:
        return [Error(str(error), id="rowlock.E001")]
    return []


@register("rowlock")
def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    try:
        settings()
    except ConfigurationError as error:
        return [Error(str(error), id="rowlock.E002")]
    return []


@register("rowlock")
def check_ceilings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    try:
        ceilings()
    except ConfigurationError as error:
        return [Error(str(error), id="rowlock.E004")]
    return []


@register("rowlock")
def check_beat_lock(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    try:
        beat_lock()
    except ConfigurationError as error:
        return [Error(str(error), id="rowlock.E008")]
    return []


@register("rowlock")
def check_waiting(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    try:
        waits_for_migrations()
    except ConfigurationError as error:
        return [Error(str(error), id="rowlock.E010")]
    return []


@register("rowlock")
def check_end_of_workers(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for read in (grace_seconds, pod_with_deletion_cost):
        try:
            read()
        except ConfigurationError as error:
            found.append(Error(str(error), id="rowlock.E010"))
    return found


@register("rowlock")
def check_database(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if connection.vendor in ("postgresql", "sqlite"):
        return []
    hint = "Use Postgres, or SQLite on one machine."
    return [Error(f"rowlock cannot keep its runs in {connection.display_name}.", hint=hint, id="rowlock.E003")]


def exit_on_errors(status: int = 1) -> None:
    """Run all system checks; where there is an error, print every one and end the process with `status`.

    `manage.py` does this by itself. An ASGI server never does, and Celery runs the checks but drops what they
    say (celery/fixups/django.py `validate_models`).
    """
    try:
        BaseCommand().check()
    except SystemCheckError as errors:
        print(errors, file=sys.stderr)
        raise SystemExit(status) from None
