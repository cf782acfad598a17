"""Submit tasks over HTTP one after another and wait for each result as a page does; print how long each step took.

Usage: watcher.py PORT TOKEN SAMPLES poll|websocket. Prints a JSON list of pairs: milliseconds from just before the POST
to the start of the task, and to its result at the client. A page that polls asks at once, and then every second.
"""

import asyncio
import json
import sys
import time
from typing import Any

import aiohttp

INTERVAL = 1.0
#: Seconds after which a result is given up.
PATIENCE = 120.0


async def main() -> None:
    port, token, samples, way = sys.argv[1:]
    see = {"poll": poll, "websocket": follow}[way]
    headers = {"Authorization": f"Bearer {token}"}
    taken = []
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as session:
        for _ in range(int(samples)):
            began = time.time()
            async with session.post("/api/runs/", json={"task": "moment"}) as answer:
                answer.raise_for_status()
                run = (await answer.json())["id"]
            async with asyncio.timeout(PATIENCE):
                started = await see(session, run)
            taken.append(((started - began) * 1000, (time.time() - began) * 1000))
    print(json.dumps(taken))


async def poll(session: aiohttp.ClientSession, run: str) -> float:
    while True:
        async with session.get(f"/api/runs/{run}/") as answer:
            found = await answer.json()
        if found["state"] in ("success", "succeeded"):
            return float(found["result"])
        await asyncio.sleep(INTERVAL)


async def follow(session: aiohttp.ClientSession, run: str) -> float:
    async with session.ws_connect("/ws/runs/", params={"run": run}) as live:
        async for message in live:
            told: dict[str, Any] = json.loads(message.data)
            if told.get("run", {}).get("state") == "succeeded":
                return float(told["run"]["result"])
    sys.exit("the live view ended before the run did")


if __name__ == "__main__":
    asyncio.run(main())
