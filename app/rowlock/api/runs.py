"""Operations on one run, and lists of runs."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Query, Router

from rowlock import audit, runs
from rowlock.api import throttle
from rowlock.api.answers import answer, only_parameters
from rowlock.api.asgi import SubmissionRequest
from rowlock.api.authentication import require, viewer_in
from rowlock.api.run_schemas import (
    BatchAccepted,
    BatchIn,
    Cancelled,
    RunDetail,
    RunLogs,
    RunPage,
    RunProgress,
    RunResult,
    RunSummary,
    SubmissionIn,
)
from rowlock.models import Run, State
from rowlock.models.run import parse_id
from rowlock.runs import accepting, group_commit, query, registry
from rowlock.runs.accepting import run_of, runs_of
from rowlock.runs.errors import NoSuchRunError, NotAllowedError, OptionsError
from rowlock.runs.logs import shown_log
from rowlock.runs.presentation import HEAVY_COLUMNS, detail, moment, summary
from rowlock.runs.search import find
from rowlock.runs.viewer import Viewer, visible

#: Seconds after which it is worth asking again for the result of a run that has not finished.
POLL_AFTER = 1

router = Router(tags=["runs"])


@router.post("/", response={202: RunSummary, 200: RunSummary})
def submit_run(request: HttpRequest, submission: SubmissionIn) -> HttpResponse:
    """Accept one task. 202 for a new run, 200 for an earlier one with the same key."""
    only_parameters(request)
    viewer = _submitter(request)
    [checked] = _submissions([submission], viewer)
    throttle.spend(viewer.name, 1)
    [accepted] = _accept(request)([run_of(checked)])
    # Below the path that was asked, which spares the search in the project's URLs.
    return _accepted(accepted, f"{request.path.removesuffix('/')}/{accepted.id}")


@router.post("/batch", response={202: BatchAccepted})
def submit_batch(request: HttpRequest, batch: BatchIn) -> HttpResponse:
    """Accept up to 10,000 tasks, all or none. The `index` of a problem says which one is at fault."""
    only_parameters(request)
    viewer = _submitter(request)
    submissions = _submissions(batch.runs, viewer)
    throttle.spend(viewer.name, len(submissions))
    accepted = _accept(request)(runs_of(submissions))
    data = {"runs": [{"id": str(run.id), "key": run.key, "is_new": run.is_new} for run in accepted]}
    return answer(data, HTTPStatus.ACCEPTED)


@router.get("/", response=RunPage)
def list_runs(
    request: HttpRequest,
    q: Annotated[str, Query(description="Which runs, as in `state:failed task:example.tasks.* since:1h`.")] = "",
    cursor: Annotated[str | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> HttpResponse:
    """The runs that you may see, newest first."""
    only_parameters(request, "q", "cursor", "limit")
    found = find(query.parse(q), viewer_in(request), cursor=cursor, limit=limit)
    runs_found = [summary(run) for run in found.runs]
    return answer({"runs": runs_found, "next": found.next, "searched_until": moment(found.searched_until)})


@router.get("/{id}", response=RunDetail)
def get_run(request: HttpRequest, id: str) -> HttpResponse:
    """All that is known of a run."""
    only_parameters(request)
    return answer(detail(_find(request, id)))


@router.get("/{id}/progress", response=RunProgress)
def get_progress(request: HttpRequest, id: str) -> HttpResponse:
    """How far a run is."""
    only_parameters(request)
    found = summary(_find(request, id, Run.objects.defer(*HEAVY_COLUMNS)))
    return answer({name: found[name] for name in RunProgress.model_fields})


@router.get("/{id}/result", response={200: RunResult, 202: RunResult})
def get_result(request: HttpRequest, id: str) -> HttpResponse:
    """The result or error of a run; 202 while it has not finished."""
    only_parameters(request)
    run = _find(request, id)
    found = detail(run)
    data = {name: found[name] for name in RunResult.model_fields}
    if State(run.state).is_final:
        return answer(data)
    return answer(data, HTTPStatus.ACCEPTED, headers={"Retry-After": str(POLL_AFTER)})


@router.get("/{id}/log", response=RunLogs)
def get_log(request: HttpRequest, id: str) -> HttpResponse:
    """What a run has logged so far, by execution."""
    only_parameters(request)
    return answer(shown_log(_find(request, id, Run.objects.defer(*HEAVY_COLUMNS))))


@router.post("/{id}/retry", response={202: RunSummary})
def retry_run(request: HttpRequest, id: str) -> HttpResponse:
    """Run a finished task again: a new run with the same owner and arguments, linked to the old one."""
    only_parameters(request)
    run = _find_to_steer(request, id)
    with transaction.atomic():
        again = runs.retry(run)
        _record(request, "retry", run, new_run=str(again.id))
    return _accepted(again, reverse("rowlock-api:get_run", args=[again.id]))


@router.post("/{id}/cancel", response=Cancelled)
def cancel_run(request: HttpRequest, id: str) -> HttpResponse:
    """Cancel a run that has not finished; the answer says what it was doing."""
    only_parameters(request)
    run = _find_to_steer(request, id)
    with transaction.atomic():
        cancellation = runs.cancel(run)
        _record(request, "cancel", run, was=cancellation.was)
    return answer({"was": cancellation.was, "run": summary(cancellation.run)})


def _record(request: HttpRequest, action: str, run: Run, **detail: str) -> None:
    audit.record(
        actor=viewer_in(request).name,
        action=action,
        kind="run",
        target=str(run.id),
        detail={"task": run.task, **detail},
        via="api",
    )


def _accepted(run: Run, location: str) -> HttpResponse:
    status = HTTPStatus.ACCEPTED if run.is_new else HTTPStatus.OK
    return answer(summary(run), status, headers={"Location": location})


def _submitter(request: HttpRequest) -> Viewer:
    viewer = viewer_in(request)
    require(viewer.may_submit, "rowlock.submit_run", "submit tasks")
    return viewer


def _accept(request: HttpRequest) -> Callable[[list[Run]], list[Run]]:
    # Elsewhere, as in a project's own tests, the caller's transaction and connection are what counts.
    return group_commit.accept if isinstance(request, SubmissionRequest) else accepting.accept_many


def _submissions(given: list[SubmissionIn], viewer: Viewer) -> list[runs.Submission]:
    queues = set(registry.queue_names()) if any(one.queue is not None for one in given) else set()
    parents = {one.parent for one in given if one.parent is not None}
    seen = visible(Run.objects.only("id"), viewer).in_bulk(parents) if parents else {}
    for index, one in enumerate(given):
        if one.queue is not None and one.queue not in queues:
            raise _at(index, given, registry.unknown_queue(one.queue, sorted(queues)))
        if one.parent is not None and one.parent not in seen:
            raise _at(index, given, OptionsError(f"parent: there is no run {one.parent}, or it is not yours to see."))
    return [
        runs.Submission(owner=viewer.name, **{name: getattr(one, name) for name in SubmissionIn.model_fields})
        for one in given
    ]


def _at(index: int, given: list[SubmissionIn], error: OptionsError) -> OptionsError:
    if len(given) > 1:
        error.index = index
    return error


def _find(request: HttpRequest, id: str, among: QuerySet[Run] | None = None) -> Run:
    found = parse_id(id)
    candidates = visible(Run.objects.all() if among is None else among, viewer_in(request))
    run = None if found is None else candidates.filter(id=found).first()
    if run is None:
        raise NoSuchRunError(f"There is no run {id[:100]!r}, or it is not yours to see.")
    return run


def _find_to_steer(request: HttpRequest, id: str) -> Run:
    run = _find(request, id)
    if not viewer_in(request).may_steer(run):
        raise NotAllowedError("Only its owner and operators (rowlock.operate_run) may retry or cancel this run.")
    return run
