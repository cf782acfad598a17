from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from pytest_django import Settings

from rowlock.live import feed
from rowlock.models import ApiToken
from rowlock.models.token import hash_of, new_secret

MakeToken = Callable[..., str]


@pytest.fixture(autouse=True)
def live(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Live updates mounted, and looking often, so that tests wait little."""
    settings.ROOT_URLCONF = "tests.live.urls"
    settings.ROWLOCK = {**settings.ROWLOCK, "LIVE_REDIS_URL": ""}
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.db"
    monkeypatch.setattr(feed, "INTERVAL", 0.05)
    monkeypatch.setattr(feed, "SHORTEST_INTERVAL", 0.02)


@pytest.fixture
def token_of(transactional_db: None) -> MakeToken:
    """The secret of a new token of a user with these permissions of rowlock's."""

    def make(name: str, *permissions: str, **fields: Any) -> str:
        user, _ = User.objects.get_or_create(username=name)
        user.user_permissions.set(
            Permission.objects.filter(content_type__app_label="rowlock", codename__in=permissions)
        )
        secret = new_secret()
        ApiToken.objects.create(user=user, name="test", hash=hash_of(secret), **fields)
        return secret

    return make


@pytest.fixture
def reader(token_of: MakeToken) -> str:
    """A token that sees all runs."""
    return token_of("reader", "view_run")


@pytest.fixture
def anna(token_of: MakeToken) -> str:
    """A token that sees Anna's runs."""
    return token_of("anna")
