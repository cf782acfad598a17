"""Settings of the example project, from the environment only (see environment.py for the variables).

With DEBUG=true everything has an embedded default (SQLite, a broker of files, no Redis); without it every service must
be named.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core.management.utils import get_random_secret_key

from example.environment import read

ENV, ENVIRONMENT_PROBLEMS = read(os.environ)

BASE_DIR = Path(__file__).resolve().parent.parent
EMBEDDED_DIR = Path(ENV.ROWLOCK_EMBEDDED_DIR or BASE_DIR.parent / ".embedded")

DEBUG = ENV.DEBUG
# Without a given key nothing signed outlives the process; checks refuse that unless DEBUG is on.
SECRET_KEY = ENV.SECRET_KEY or get_random_secret_key()
ALLOWED_HOSTS = ENV.ALLOWED_HOSTS if ENV.ALLOWED_HOSTS is not None else ["localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = ENV.CSRF_TRUSTED_ORIGINS

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "django_celery_results",
    "django_htmx",
    "ninja",
    "rowlock",
    "example",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "example.middleware.RequestMetrics",
]

ROOT_URLCONF = "example.urls"
ASGI_APPLICATION = "example.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def _database() -> dict[str, Any]:
    database: dict[str, Any] = dict(
        dj_database_url.parse(ENV.DATABASE_URL or f"sqlite:///{EMBEDDED_DIR / 'db.sqlite3'}")
    )
    if database["ENGINE"] == "django.db.backends.postgresql":
        if ENV.DATABASE_POOL_SIZE:
            pool = {"min_size": 1, "max_size": ENV.DATABASE_POOL_SIZE, "timeout": 10}
            database["OPTIONS"] = {**database.get("OPTIONS", {}), "pool": pool}
        else:
            database["CONN_MAX_AGE"], database["CONN_HEALTH_CHECKS"] = 600, True
    else:
        if not ENV.DATABASE_URL and DEBUG:
            EMBEDDED_DIR.mkdir(parents=True, exist_ok=True)
        # In a file, so that a worker that a test starts sees what the test sees.
        database["TEST"] = {"NAME": EMBEDDED_DIR / "test.sqlite3"}
        # Web, worker and beat write at the same time: write-ahead log, and wait for the lock before reading.
        database["OPTIONS"] = {
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
    return database


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


def _next_redis_database(url: str) -> str:
    # Clearing a cache empties its whole Redis database, and results must survive that.
    parts = urlsplit(url)
    number = parts.path.strip("/") or "0"
    return parts._replace(path=f"/{int(number) + 1}").geturl() if number.isdecimal() else url


if ENV.REDIS_URL:
    CACHES: dict[str, dict[str, Any]] = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": _next_redis_database(ENV.REDIS_URL),
            "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 2, "SOCKET_TIMEOUT": 2},
        }
    }
    # With Redis down, sessions are read from the database: nobody is logged out or kept from submitting tasks.
    CACHES["sessions"] = {
        **CACHES["default"],
        "KEY_PREFIX": "sessions",
        "OPTIONS": {**CACHES["default"]["OPTIONS"], "IGNORE_EXCEPTIONS": True},
    }
    SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
    SESSION_CACHE_ALIAS = "sessions"
else:
    # Without DEBUG the checks insist on Redis; until they have spoken, nothing may touch the disk, which is read-only.
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": EMBEDDED_DIR / "cache",
        }
        if DEBUG
        else {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}
    }
    SESSION_ENGINE = "django.contrib.sessions.backends.db"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

HTTPS = ENV.HTTPS if ENV.HTTPS is not None else not DEBUG
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG

DATA_UPLOAD_MAX_MEMORY_SIZE = ENV.UPLOAD_LIMIT_MB * 1024 * 1024
UPLOAD_LIMIT = ENV.UPLOAD_LIMIT_MB * 1024 * 1024
EXAMPLE_PAGE_ALLOW_PRIVATE = ENV.PAGE_ALLOW_PRIVATE

EMAIL_BACKEND = {
    "console": "django.core.mail.backends.console.EmailBackend",
    "file": "django.core.mail.backends.filebased.EmailBackend",
    "smtp": "django.core.mail.backends.smtp.EmailBackend",
}[ENV.EMAIL_BACKEND]
EMAIL_FILE_PATH = ENV.EMAIL_FILE_PATH
EMAIL_HOST = ENV.EMAIL_HOST
EMAIL_PORT = ENV.EMAIL_PORT
EMAIL_HOST_USER = ENV.EMAIL_HOST_USER
EMAIL_HOST_PASSWORD = ENV.EMAIL_HOST_PASSWORD
EMAIL_USE_TLS = ENV.EMAIL_USE_TLS
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL = ENV.DEFAULT_FROM_EMAIL

LANGUAGE_CODE = "en-us"
TIME_ZONE = ENV.TIME_ZONE
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": ENV.LOG_LEVEL},
}

ROWLOCK: dict[str, Any] = {
    "LIVE_REDIS_URL": ENV.REDIS_URL or "",
    # Addresses of people, and what they wrote.
    "REDACT_ARGUMENTS": ["example.tasks.email.*"],
}

CELERY_BROKER_URL = ENV.BROKER_URL or f"embedded://localhost{EMBEDDED_DIR / 'broker'}"
CELERY_RESULT_BACKEND = ENV.REDIS_URL or "django-db"
CELERY_RESULT_EXPIRES = ENV.RESULT_EXPIRES
CELERY_TIMEZONE = TIME_ZONE
CELERY_TASK_TIME_LIMIT = ENV.TASK_TIME_LIMIT
CELERY_TASK_SOFT_TIME_LIMIT = ENV.TASK_SOFT_TIME_LIMIT or None
CELERY_TASK_ROUTES = {
    f"example.tasks.{name}.*": {"queue": name} for name in ("email", "image", "text", "report", "page", "model")
}
CELERY_BEAT_SCHEDULER = "rowlock.celery.scheduler:Scheduler"
CELERY_BEAT_SCHEDULE = {
    "tick": {"task": "example.tasks.basic.tick", "schedule": 10.0, "options": {"expires": 60}},
    "delete-old-files": {
        "task": "example.tasks.files.delete_old",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
}
