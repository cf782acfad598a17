"""Django's settings for everything that is measured: those of a new project, and the apps of all sides."""

import os

import dj_database_url

SECRET_KEY = "not secret"  # noqa: S105 - nothing of worth is signed here
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django_celery_beat",
    "django_celery_results",
    "ninja",
    "rowlock",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = os.environ.get("BENCH_URLS", "web.rowlock_urls")
DATABASES = {"default": {**dj_database_url.parse(os.environ["DATABASE_URL"]), "CONN_MAX_AGE": 600}}
if _POOL := os.environ.get("BENCH_POOL"):
    DATABASES["default"].update(CONN_MAX_AGE=0, OPTIONS={"pool": {"min_size": 1, "max_size": int(_POOL)}})
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
_PARTS = os.environ.get("ROWLOCK_WITH", "history,results,metrics").split(",")
ROWLOCK: dict[str, object] = {
    "METRICS": "metrics" in _PARTS,
    # One client makes all the load.
    "SUBMIT_RATE": "",
    "LIVE_REDIS_URL": os.environ["REDIS_URL"],
}
