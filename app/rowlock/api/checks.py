"""System checks of the API; `rowlock.apps` imports this."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, register
from django.core.checks import Warning as CheckWarning
from django.urls import NoReverseMatch, reverse


@register("rowlock")
def check_documentation(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The page of a mounted API needs the static files of ninja."""
    if apps.is_installed("ninja"):
        return []
    try:
        reverse("rowlock-api:openapi-view")
    except NoReverseMatch:
        return []
    return [CheckWarning("The API is mounted, but its page /docs is not there.", hint=_HINT, id="rowlock.W001")]


_HINT = "Add 'ninja' to INSTALLED_APPS, which serves the page's scripts from your own static files."
