"""Rowlock's side: ASGI, health and metrics, live views, the relay."""

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

# Django comes first.
import peers.rowlock_full  # noqa: E402, F401 - makes the Celery app the current one
from rowlock.web import with_rowlock  # noqa: E402

application = with_rowlock(django_application)
