"""One answer for all who ask the same at the same time."""

import asyncio
from asyncio import Task
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")


class Answers:
    """Answers that are kept only as long as somebody waits for them: later they would be memory of slow clients."""

    def __init__(self) -> None:
        self._asked: WeakValueDictionary[Hashable, Task[Any]] = WeakValueDictionary()

    async def once(self, key: Hashable, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The answer of `ask`, asked once for all clients that wait for `key`."""
        task = self._asked.get(key)
        if task is None:
            task = asyncio.create_task(ask())
            self._asked[key] = task
        # One client that goes away must not take the answer from the others.
        answer: T = await asyncio.shield(task)
        return answer
