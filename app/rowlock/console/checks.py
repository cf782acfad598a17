"""System checks of the console; `rowlock.apps` imports this."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.urls import NoReverseMatch, reverse

_APPS = {
    "django_htmx": "the script that its pages load",
    "django.contrib.auth": "who may see it",
    "django.contrib.sessions": "who is logged in",
    "django.contrib.staticfiles": "its styles and scripts",
}
_MIDDLEWARE = {
    "django.contrib.sessions.middleware.SessionMiddleware": "who is logged in",
    "django.middleware.csrf.CsrfViewMiddleware": "that only its own pages press its buttons",
    "django.contrib.auth.middleware.AuthenticationMiddleware": "who may see it",
}


@register("rowlock")
def check_console(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """What the console needs of the project that includes its URLs."""
    try:
        reverse("rowlock-console:overview")
    except NoReverseMatch:
        return []
    found = [("INSTALLED_APPS", name, why) for name, why in _APPS.items() if not apps.is_installed(name)] + [
        ("MIDDLEWARE", name, why) for name, why in _MIDDLEWARE.items() if name not in settings.MIDDLEWARE
    ]
    return [
        Error(
            f"The console is included in the project's URLs, but {name} is not in {setting}: it is for {why}.",
            hint=f"Add {name!r} to {setting}, or leave rowlock.console.urls out.",
            id="rowlock.E011",
        )
        for setting, name, why in found
    ]
