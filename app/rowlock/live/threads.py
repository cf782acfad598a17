"""Database work of live views, off the event loop. A view that waits keeps no connection."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import close_old_connections, connections

T = TypeVar("T")

#: However many clients there are, they take this many connections at the most, and the feed one.
_executor = ThreadPoolExecutor(max_workers=4, thread_name_prefix="rowlock-live")


async def in_database(work: Callable[[], T]) -> T:
    """Do `work` on a thread that has no connection before and after it.

    Django's `sync_to_async` would keep one thread, and its connection, for as long as a request streams.
    """
    return await asyncio.get_running_loop().run_in_executor(_executor, _disconnecting, work)


def _disconnecting(work: Callable[[], T]) -> T:
    try:
        return work()
    finally:
        connections.close_all()


class DatabaseThread:
    """One thread for work that is done again and again: it keeps its connection until `end`."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rowlock-live-feed")

    async def do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, _reconnecting, work)

    def end(self) -> None:
        """Let go of connection and thread, without waiting for what it is doing."""
        self._executor.submit(connections.close_all)
        self._executor.shutdown(wait=False)


def _reconnecting(work: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return work()
    finally:
        close_old_connections()
