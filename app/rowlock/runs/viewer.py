"""Who looks at runs, and which ones they may see."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from rowlock.models import Run


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """A person or program that may see its own runs, and more by its rights."""

    name: str
    sees_all: bool = False
    may_submit: bool = False
    may_operate: bool = False

    def may_steer(self, run: Run) -> bool:
        """May they retry and cancel `run`?"""
        return self.may_operate or (self.name != "" and run.owner == self.name)


#: Who has a shell of the project may do everything.
EVERYBODY = Viewer(name="", sees_all=True, may_submit=True, may_operate=True)


def viewer_of(user: Any) -> Viewer:
    """The viewer that a logged-in Django user is."""
    operates = user.has_perm("rowlock.operate_run")
    return Viewer(
        name=user.get_username(),
        sees_all=operates or user.has_perm("rowlock.view_run"),
        may_submit=operates or user.has_perm("rowlock.submit_run"),
        may_operate=operates,
    )


def visible(runs: QuerySet[Run], viewer: Viewer) -> QuerySet[Run]:
    return runs if viewer.sees_all else runs.filter(owner=viewer.name)
