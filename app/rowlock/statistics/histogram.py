"""Times counted by how long they are."""

from collections.abc import Iterable
from dataclasses import dataclass

from rowlock.metrics.buckets import BUCKETS

EMPTY = (0,) * (len(BUCKETS) + 1)


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """How many times were up to each of BUCKETS (seconds) and above the one before; the last count is of the rest."""

    counts: tuple[int, ...] = EMPTY

    @property
    def count(self) -> int:
        return sum(self.counts)

    def quantile(self, share: float) -> float | None:
        """Seconds that `share` (0 to 1) of the times stay below, as Prometheus's histogram_quantile estimates them.

        None without times; the last bound where the answer is above it.
        """
        rank = share * self.count
        if not self.count:
            return None
        below, lower = 0, 0.0
        for count, upper in zip(self.counts, BUCKETS, strict=False):
            if count and below + count >= rank:
                return lower + (upper - lower) * (rank - below) / count
            below, lower = below + count, float(upper)
        return lower


def added(histograms: Iterable[Histogram]) -> Histogram:
    columns = zip(EMPTY, *(one.counts for one in histograms), strict=True)
    return Histogram(counts=tuple(map(sum, columns)))
