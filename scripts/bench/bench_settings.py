"""Django's settings for every variant alike: what they need, and nothing that would set Celery up already."""

import os

import dj_database_url

SECRET_KEY = "not secret"  # noqa: S105 - nothing is signed here
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django_celery_beat",
    "django_celery_results",
    "ninja",
    "rowlock",
]
DATABASES = {"default": {**dj_database_url.parse(os.environ["DATABASE_URL"]), "CONN_MAX_AGE": 600}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
ROWLOCK: dict[str, object] = {"METRICS": "without metrics" not in os.environ["VARIANT"]}
