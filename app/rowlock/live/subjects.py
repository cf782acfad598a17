"""Reading what a client asks for."""

from collections.abc import Mapping

from rowlock.live.counts import Counts
from rowlock.live.many import ManyRuns
from rowlock.live.messages import Code, EndedError
from rowlock.live.one import OneRun
from rowlock.live.view import Subject
from rowlock.models.run import parse_id
from rowlock.runs.errors import QueryError
from rowlock.runs.query import parse

DEFAULT_LIMIT = 100
MOST = 500

_KINDS = ("run", "q", "counts")
_KNOWN = (*_KINDS, "limit", "since")


def subject_of(parameters: Mapping[str, str]) -> Subject:
    """The subject that the parameters of a URL name; raises EndedError with what is wrong with them."""
    if unknown := sorted(parameters.keys() - {*_KNOWN}):
        raise _malformed(f"There is no parameter {unknown[0][:50]!r}; there are {', '.join(_KNOWN)}.")
    given = [kind for kind in _KINDS if kind in parameters]
    if len(given) != 1:
        raise _malformed("Name one of run=ID, q=QUERY (q= for all runs) and counts=1.")
    if "limit" in parameters and given != ["q"]:
        raise _malformed("`limit` goes with q=QUERY only.")
    if given == ["run"]:
        return _one(parameters["run"])
    if given == ["q"]:
        return _many(parameters["q"], parameters.get("limit", str(DEFAULT_LIMIT)))
    if parameters["counts"] != "1":
        raise _malformed("`counts` can only be 1.")
    return Counts()


def _one(text: str) -> Subject:
    run_id = parse_id(text)
    if run_id is None:
        raise _malformed("`run` must be the id of a run, a UUID.")
    return OneRun(run_id=run_id)


def _many(text: str, limit: str) -> Subject:
    if not (limit.isascii() and limit.isdecimal() and len(limit) < 5 and 1 <= int(limit) <= MOST):
        raise _malformed(f"`limit` must be a number from 1 to {MOST}.")
    try:
        return ManyRuns(query=parse(text), limit=int(limit))
    except QueryError as error:
        raise _malformed(str(error)) from error


def _malformed(reason: str) -> EndedError:
    return EndedError(Code.MALFORMED, reason)
