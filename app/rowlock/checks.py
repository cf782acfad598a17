"""Django system checks that explain a wrong setting, and the way for every process to insist on them."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register
from django.core.management.base import BaseCommand

from rowlock.conf import ConfigurationError, health_address


@register("rowlock")
def check_health_port(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    try:
        health_address()
    except ConfigurationError as error:
        return [Error(str(error), id="rowlock.E001")]
    return []


def insist_on_checks() -> None:
    """Run all system checks; raises django.core.management.base.SystemCheckError listing every error.

    `manage.py` does this by itself. An ASGI server never does, and Celery runs the checks but drops what they
    say (celery/fixups/django.py `validate_models`).
    """
    BaseCommand().check()
