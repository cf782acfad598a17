import os

from django.core.asgi import get_asgi_application

from rowlock.checks import insist_on_checks
from rowlock.health.asgi import with_health

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example.settings")
# Web serves from threads, which share connections. A worker's processes have one each, and Celery would close a pool
# after every task (celery/fixups/django.py `_close_database`).
os.environ.setdefault("DATABASE_POOL_SIZE", "10")

django_application = get_asgi_application()
insist_on_checks()
application = with_health(django_application)
