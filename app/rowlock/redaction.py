"""Which tasks' arguments and results are shown to nobody."""

from fnmatch import fnmatchcase

from rowlock import conf


def hides_arguments(task: str) -> bool:
    return _matches_any(task, conf.settings().redact_arguments)


def hides_results(task: str) -> bool:
    """Are results, error messages and tracebacks of `task` hidden? The types of its errors never are."""
    return _matches_any(task, conf.settings().redact_results)


def hides_logs(task: str) -> bool:
    """Is what `task` logs neither kept nor shown? It may tell its arguments and its result."""
    return hides_arguments(task) or hides_results(task)


def hides_some_results() -> bool:
    return bool(conf.settings().redact_results)


def _matches_any(task: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(task, pattern) for pattern in patterns)
