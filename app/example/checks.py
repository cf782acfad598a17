from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register("environment")
def check_environment(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Every missing or malformed variable, at `manage.py`, web, worker and beat alike."""
    return [
        Error(problem.message, obj=problem.variable, id="example.E001") for problem in settings.ENVIRONMENT_PROBLEMS
    ]
