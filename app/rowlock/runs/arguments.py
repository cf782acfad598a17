"""Are arguments JSON, do they fit the task, and are they small enough? Asked before anything is accepted."""

import inspect
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from celery import Task

from rowlock.conf import settings
from rowlock.models.run import canonical_arguments
from rowlock.runs.errors import ArgumentsError


def checked_arguments(task: Task, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """The JSON text of arguments that `task` can be called with; raises ArgumentsError."""
    if isinstance(args, str | bytes) or not isinstance(args, Sequence):
        raise ArgumentsError(f"args must be a list, not {args!r:.100}.")
    if not isinstance(kwargs, Mapping):
        raise ArgumentsError(f"kwargs must be a mapping of names to values, not {kwargs!r:.100}.")
    try:
        _check(args, "args")
        _check(kwargs, "kwargs")
        signature_of(task).bind(*args, **kwargs)
        text = canonical_arguments(args, kwargs)
        size = len(text.encode())
    except TypeError as error:
        raise ArgumentsError(f"{task.name}{signature_of(task)} cannot be called so: {error}.") from None
    except RecursionError:
        raise ArgumentsError("The arguments are nested too deeply, or contain themselves.") from None
    except UnicodeEncodeError as error:
        # Half of a surrogate pair; JSON can spell it, UTF-8 cannot.
        raise ArgumentsError(f"The arguments contain text that is not Unicode: {error.reason}.") from None
    limit = settings().payload_limit
    if size > limit:
        raise ArgumentsError(
            f"The arguments are {size:,} bytes of JSON; {limit:,} are the most (ROWLOCK['PAYLOAD_LIMIT']). "
            "Store large data and pass its id."
        )
    return text


@lru_cache(maxsize=4096)
def signature_of(task: Task) -> inspect.Signature:
    """What the task's function takes, without the `self` of a bound task."""
    return inspect.signature(task.run)


def _check(value: Any, path: str) -> None:
    if value is None or isinstance(value, str | bool | int):
        return
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ArgumentsError(f"{path} is {value}, which JSON has no word for.")
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            _check(inner, f"{path}[{index}]")
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if not isinstance(name, str):
                raise ArgumentsError(f"{path} has the key {name!r:.100}; keys of JSON are strings.")
            _check(inner, f"{path}.{name:.100}")
    else:
        raise ArgumentsError(
            f"{path} is a {type(value).__name__}, which is not JSON; pass a string, number, list or mapping."
        )
