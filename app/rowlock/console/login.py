"""Logging in and out, for projects that have no page of their own for it."""

from typing import Any

from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path

from rowlock.console import headers
from rowlock.console.rendering import THEMES


class ConsoleLogin(LoginView):
    """Leads to the page of this site that `next` names, or to the console."""

    template_name = "rowlock/console/login.html"
    next_page = "rowlock-console:overview"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return headers.protected(super().dispatch(request, *args, **kwargs))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        theme = self.request.COOKIES.get("rowlock_theme", "")
        return super().get_context_data(theme=theme if theme in THEMES else THEMES[0], **kwargs)


class ConsoleLogout(LogoutView):
    """By POST only."""

    next_page = "rowlock-console:login"


urlpatterns = [
    path("login/", ConsoleLogin.as_view(), name="login"),
    path("logout/", ConsoleLogout.as_view(), name="logout"),
]
