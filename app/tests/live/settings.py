"""The example's settings with the project of these tests."""

from example.settings import *  # noqa: F403

ROOT_URLCONF = "tests.live.urls"
SESSION_ENGINE = "django.contrib.sessions.backends.db"
