"""What the rowlock app reads from the environment of its process."""

import os
from dataclasses import dataclass

DEFAULT_PORT = 9540


class ConfigurationError(Exception):
    """A variable has a value that rowlock cannot use; the message names it and what it expects."""


@dataclass(frozen=True, kw_only=True)
class HealthAddress:
    """Where this process serves health and metrics.

    `chosen` is true when somebody asked for this very port: then it must be had, else it may be done without.
    """

    port: int
    chosen: bool


def health_address() -> HealthAddress:
    """The port from ROWLOCK_PORT, 9540 without it; raises ConfigurationError on anything but a port number."""
    raw = os.environ.get("ROWLOCK_PORT", "")
    if not raw:
        return HealthAddress(port=DEFAULT_PORT, chosen=False)
    if not raw.isdecimal() or not 0 < int(raw) < 65536:
        raise ConfigurationError(
            f"ROWLOCK_PORT is {raw!r}; it must be a port number from 1 to 65535, for example ROWLOCK_PORT=9540."
        )
    return HealthAddress(port=int(raw), chosen=True)
