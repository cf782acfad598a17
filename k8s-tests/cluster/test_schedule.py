"""Beat: the scheduled task fires once for each slot."""

from datetime import datetime, timedelta
from itertools import pairwise

from cluster.harness.release import Release
from cluster.harness.shell import eventually

PERIOD = timedelta(seconds=10)
SLOTS = 5


def test_a_scheduled_task_fires_once_for_each_slot(release: Release) -> None:
    began = release.python("from django.utils import timezone; print(timezone.now().isoformat())")

    ticks = eventually(lambda: _enough_ticks(release, began), within=120, what=f"{SLOTS} ticks", every=3)

    gaps = [later - earlier for earlier, later in pairwise(ticks)]
    for gap in gaps:
        assert gap > PERIOD / 2, f"two ticks in one slot: {[str(gap) for gap in gaps]}"
        assert gap < PERIOD * 1.5, f"a slot without a tick: {[str(gap) for gap in gaps]}"


def test_there_is_one_beat(release: Release) -> None:
    beats = release.pods("beat")

    assert len(beats) == 1, f"{len(beats)} pods of beat"


def _enough_ticks(release: Release, since: str) -> list[datetime]:
    printed = release.python(
        "from datetime import datetime\n"
        "from example.models import Tick\n"
        f"since = datetime.fromisoformat('{since}')\n"
        "for tick in Tick.objects.filter(at__gt=since).order_by('at'): print(tick.at.isoformat())"
    )
    ticks = [datetime.fromisoformat(line) for line in printed.splitlines()]
    return ticks if len(ticks) >= SLOTS else []
