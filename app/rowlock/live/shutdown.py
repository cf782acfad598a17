"""Hearing of the signals that end the process, before its server waits for the connections that are open."""

import signal
import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT)

_watching: dict[AbstractEventLoop, Callable[[], None]] = {}
_earlier: dict[int, Callable[[int, FrameType | None], Any]] = {}


def watch(loop: AbstractEventLoop, stopping: Callable[[], None]) -> None:
    """Have `loop` call `stopping` once such a signal arrives; the server's own handling goes on as it was.

    ASGI tells applications of it only after the last connection has ended, and ours end for no other reason.
    """
    _watching[loop] = stopping
    if threading.current_thread() is not threading.main_thread():
        return
    for number in _SIGNALS:
        earlier = signal.getsignal(number)
        # Where nobody handles it the process just ends.
        if callable(earlier) and earlier not in (signal.default_int_handler, _pass_on):
            _earlier[number] = earlier
            # asyncio's own handlers are told through a file descriptor, whatever function is set here.
            signal.signal(number, _pass_on)
            signal.siginterrupt(number, False)


def forget(loop: AbstractEventLoop) -> None:
    _watching.pop(loop, None)
    if _watching or threading.current_thread() is not threading.main_thread():
        return
    for number in list(_earlier):
        earlier = _earlier.pop(number)
        if signal.getsignal(number) is _pass_on:
            signal.signal(number, earlier)
            signal.siginterrupt(number, False)


def _pass_on(number: int, frame: FrameType | None) -> None:
    for loop, stopping in list(_watching.items()):
        if not loop.is_closed():
            loop.call_soon_threadsafe(stopping)
    if earlier := _earlier.get(number):
        earlier(number, frame)
