"""Colours that people who see few of them tell apart (the palette of Okabe and Ito), and what they mean."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models.dashboard import Threshold, ThresholdsMode

BLUE: Final = "#0072B2"
SKY: Final = "#56B4E9"
GREEN: Final = "#009E73"
YELLOW: Final = "#F0E442"
ORANGE: Final = "#E69F00"
RED: Final = "#D55E00"
PINK: Final = "#CC79A7"
GREY: Final = "#999999"

GOOD, WARNING, BAD = BLUE, YELLOW, RED

OUTCOMES: Final = {
    "succeeded": BLUE,
    "failed": RED,
    "timed_out": PINK,
    "lost": YELLOW,
    "rejected": ORANGE,
    "retried": SKY,
    "requeued": GREEN,
    "revoked": GREY,
    "expired": "#666666",
}


def above(warning: float | None, bad: float | None) -> ThresholdsConfig:
    """Good until `warning`, bad from `bad` on."""
    return _steps(GOOD, [(warning, WARNING), (bad, BAD)])


def below(warning: float | None, bad: float) -> ThresholdsConfig:
    """Bad until `bad`, good from `warning` on (from `bad` on without one)."""
    between = GOOD if warning is None else WARNING
    return _steps(BAD, [(bad, between), (warning, GOOD)])


def neither() -> ThresholdsConfig:
    """For what is neither good nor bad."""
    return _steps(SKY, [])


def _steps(first: str, more: list[tuple[float | None, str]]) -> ThresholdsConfig:
    steps = [Threshold(value=None, color=first)]
    steps += [Threshold(value=value, color=colour) for value, colour in more if value is not None]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
