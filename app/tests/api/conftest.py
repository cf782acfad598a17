import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from rowlock.api import throttle
from rowlock.models import ApiToken, Run
from rowlock.models.token import hash_of, new_secret

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

MakeUser = Callable[..., User]
MakeClient = Callable[..., "ApiClient"]
MakeRun = Callable[..., Run]


class ApiClient(Client):
    """A client with a token, which speaks JSON and tells what went wrong."""

    def send(self, method: str, path: str, body: object = None, **extra: Any) -> "Response":
        data = body if isinstance(body, str | bytes) else "" if body is None else json.dumps(body)
        extra.setdefault("content_type", "application/json")
        response = self.generic(method, f"/api/{path}", data, **extra)
        if response.status_code >= 400:
            assert response.headers["Content-Type"] == "application/problem+json", response.content
            problem = json.loads(response.content)
            assert problem["status"] == response.status_code
            assert problem["detail"], problem
            assert problem["title"], problem
            assert problem["type"], problem
        return response

    def ask(self, path: str, **query: str) -> Any:
        """The JSON at `path`, which must be there."""
        response = self.get(f"/api/{path}", query)
        assert response.status_code == 200, response.content
        return response.json()


@pytest.fixture(autouse=True)
def api(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The API mounted, with a rate limit that has counted nothing yet."""
    settings.ROOT_URLCONF = "tests.api.urls"
    settings.CACHES = {
        **settings.CACHES,
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "api"},
    }
    cache.clear()
    throttle._local.clear()
    monkeypatch.setattr(throttle, "_ask_again", 0.0)


@pytest.fixture
def make_user(db: None) -> MakeUser:
    def make(name: str, *permissions: str, **fields: Any) -> User:
        user = User.objects.create_user(name, **fields)
        user.user_permissions.set(
            Permission.objects.filter(content_type__app_label="rowlock", codename__in=permissions)
        )
        return user

    return make


@pytest.fixture
def client_of() -> MakeClient:
    """A client with a token of the user."""

    def make(user: User, **fields: Any) -> ApiClient:
        secret = new_secret()
        ApiToken.objects.create(user=user, name="test", hash=hash_of(secret), **fields)
        return ApiClient(headers={"Authorization": f"Bearer {secret}"})

    return make


@pytest.fixture
def anna(make_user: MakeUser, client_of: MakeClient) -> ApiClient:
    """Anna may submit, and see her own runs."""
    return client_of(make_user("anna", "submit_run"))


@pytest.fixture
def ben(make_user: MakeUser, client_of: MakeClient) -> ApiClient:
    """Ben may do as Anna."""
    return client_of(make_user("ben", "submit_run"))


@pytest.fixture
def reader(make_user: MakeUser, client_of: MakeClient) -> ApiClient:
    """May see all runs and change none."""
    return client_of(make_user("reader", "view_run"))


@pytest.fixture
def operator(make_user: MakeUser, client_of: MakeClient) -> ApiClient:
    """May do everything."""
    return client_of(make_user("operator", "operate_run"))


@pytest.fixture
def make_run(db: None) -> MakeRun:
    """A run of Anna's that adds two numbers, in any state."""

    def make(**fields: Any) -> Run:
        return Run.objects.create(
            **{
                "task": "example.tasks.basic.add",
                "queue": "celery",
                "owner": "anna",
                "arguments": '{"args":[2,3],"kwargs":{}}',
                **fields,
            }
        )

    return make
