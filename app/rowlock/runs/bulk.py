"""What holds for retrying and cancelling many runs at once, whoever asks and however."""

from django.db.models import QuerySet

from rowlock.models import Run
from rowlock.runs.viewer import Viewer

#: Retrying reads every run, and makes all new ones in one transaction.
MOST_RETRIES = 10_000


def steerable(viewer: Viewer) -> QuerySet[Run]:
    """The runs that `viewer` may retry and cancel."""
    if viewer.may_operate:
        return Run.objects.all()
    return Run.objects.filter(owner=viewer.name).exclude(owner="")
