"""The page of the OpenAPI document: for viewers only, and without anything from other sites."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, cast

from django.apps import apps
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError
from ninja.openapi.docs import Swagger

from rowlock.api.authentication import Session, Token
from rowlock.api.problems import ProblemError

View = Callable[..., HttpResponse]

MISSING_APP = "Add 'ninja' to INSTALLED_APPS: the page of the API needs django-ninja's static files."


class Page(Swagger):
    """Swagger UI from the project's own static files.

    Where ninja is not installed as an app, its page would load its scripts from another site.
    """

    def __init__(self) -> None:
        # Swagger UI would send the address of the document to its makers' validator.
        super().__init__({"validatorUrl": None, "tryItOutEnabled": True, "persistAuthorization": False})

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        if not apps.is_installed("ninja"):
            raise ProblemError(HTTPStatus.NOT_IMPLEMENTED, MISSING_APP)
        return super().render_page(request, api, **kwargs)


def for_viewers(view: View) -> View:
    """Let only those see the document who may use the API."""
    # ninja binds itself to the view.
    api: NinjaAPI = cast(Any, view).keywords["api"]
    authentication = (Token(), Session())

    @wraps(view)
    def checked(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            known = any(way(request) for way in authentication)
            return view(request, **kwargs) if known else api.on_exception(request, AuthenticationError())
        except Exception as error:
            return api.on_exception(request, error)

    return checked
