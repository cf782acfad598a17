"""Which queues there are."""

from rowlock.models import UNFINISHED, Run
from rowlock.runs import registry


def check_known(queue: str) -> None:
    """Raises OptionsError, which names similar ones, unless the project has `queue` or runs wait in it."""
    known = registry.queue_names()
    if queue in known or Run.objects.filter(queue=queue, state__in=UNFINISHED).exists():
        return
    raise registry.unknown_queue(queue, known)
