"""Parts of a run's summary in words."""

from datetime import datetime
from typing import Any

from django.utils import timezone


def state_of(shown: dict[str, Any]) -> str:
    return "scheduled" if shown["scheduled"] else str(shown["state"])


def local_time(moment: str | None) -> str:
    return "" if moment is None else timezone.localtime(_read(moment)).strftime("%Y-%m-%d %H:%M:%S")


def took(shown: dict[str, Any]) -> str:
    """How long it ran, or has been running."""
    if shown["started"] is None:
        return ""
    end = timezone.now() if shown["finished"] is None else _read(shown["finished"])
    seconds = max(0.0, (end - _read(shown["started"])).total_seconds())
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}m{seconds:02d}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}m"


def happening(shown: dict[str, Any], *, longest: int = 200) -> str:
    """The error, or else the progress."""
    text = ""
    if error := shown["error"]:
        text = ": ".join(filter(None, (error["type"], error["message"])))
    elif (progress := shown["progress"]) and shown["finished"] is None:
        amount = f"{progress['done']:g}"
        if progress["total"]:
            amount += f"/{progress['total']:g}"
        text = " ".join(filter(None, (amount, progress["message"])))
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _read(moment: str) -> datetime:
    return datetime.fromisoformat(moment)
