from django.db import models


class State(models.IntegerChoices):
    """Where a run is. A larger number is a later word: what reports a smaller one comes too late to be heard."""

    QUEUED = 0, "queued"
    PUBLISHED = 1, "published"
    RETRYING = 2, "retrying"
    STARTED = 3, "started"
    CANCELLED = 5, "cancelled"
    EXPIRED = 6, "expired"
    FAILED = 7, "failed"
    SUCCEEDED = 8, "succeeded"

    @property
    def is_final(self) -> bool:
        return self >= State.CANCELLED


FINAL = tuple(state for state in State if state.is_final)
UNFINISHED = tuple(state for state in State if not state.is_final)
