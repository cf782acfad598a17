import os

from django.core.asgi import get_asgi_application

from rowlock.checks import exit_on_errors

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example.settings")
# Web serves from threads, which share connections. A worker's processes have one each, and Celery would close a pool
# after every task (celery/fixups/django.py `_close_database`).
os.environ.setdefault("DATABASE_POOL_SIZE", "10")

django_application = get_asgi_application()
# gunicorn takes 3 for "does not boot" and ends; after any other status it would start the worker again for ever.
exit_on_errors(status=3)

from django.conf import settings  # noqa: E402 - Django and the variables above come first

from example.celery import app  # noqa: E402
from example.upload_limit import with_upload_limit  # noqa: E402
from rowlock.web import with_fast_submissions, with_rowlock  # noqa: E402

# A worker asks an absent Redis again for minutes rather than lose a result; whoever asks web for one that is only there
# hears of it now.
app.conf.result_backend_max_retries = 1

# One MiB more than a file may have, for what a form sends beside it.
application = with_rowlock(
    with_upload_limit(with_fast_submissions(django_application), settings.UPLOAD_LIMIT + 1024**2)
)
