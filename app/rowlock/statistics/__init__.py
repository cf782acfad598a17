"""What happened in each minute: throughput, waiting times, failures, and the depths of queues.

All of it costs the same whatever the load: minutes that are over are counted once (`minutes.keep`), and what is not
over is read up to a limit. The collector keeps both current; where there is none, whoever looks does: `activity` and
`by_*` count by themselves, and who shows depths asks the broker and calls `sample` when it `is_due`.
"""

from rowlock.statistics.histogram import Histogram
from rowlock.statistics.minutes import COLLECTORS_MOST_ROWS, keep
from rowlock.statistics.periods import Period
from rowlock.statistics.reading import Activity, Numbers, Part, Step, activity, by_queue, by_task
from rowlock.statistics.samples import Depth, Sampled, depths, is_due, sample

__all__ = [
    "COLLECTORS_MOST_ROWS",
    "Activity",
    "Depth",
    "Histogram",
    "Numbers",
    "Part",
    "Period",
    "Sampled",
    "Step",
    "activity",
    "by_queue",
    "by_task",
    "depths",
    "is_due",
    "keep",
    "sample",
]
