"""Send the same POST again and again over some connections, each waiting for its answer, and print what came.

Usage: load.py PORT PATH CONNECTIONS REQUESTS TOKEN, the body on standard input. Prints JSON: how many were accepted
(2xx), in how many seconds, and the median and 99th percentile of all answers in milliseconds. No HTTP library: the
client shares the machine with the server, and should cost little beside it.
"""

import asyncio
import json
import sys
import time

ACCEPTED = (b"200", b"201", b"202")


async def main() -> None:
    port, path, connections, requests, token = sys.argv[1:]
    body = sys.stdin.buffer.read()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    remaining = iter(range(int(requests)))
    times: list[float] = []
    statuses: list[bytes] = []

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
        for _ in remaining:
            began = time.perf_counter()
            writer.write(head.encode() + body)
            status, is_kept = await answer(reader)
            times.append(time.perf_counter() - began)
            statuses.append(status)
            if not is_kept:
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(int(connections))))
    seconds = time.perf_counter() - began
    times.sort()
    print(
        json.dumps(
            {
                "accepted": sum(status in ACCEPTED for status in statuses),
                "seconds": seconds,
                "p50": times[len(times) // 2] * 1000,
                "p99": times[len(times) * 99 // 100] * 1000,
            }
        )
    )


async def answer(reader: asyncio.StreamReader) -> tuple[bytes, bool]:
    """The status of an answer, and whether the connection may be used again."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
    if fields.get(b"transfer-encoding") == b"chunked":
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    else:
        await reader.readexactly(int(fields.get(b"content-length", b"0")))
    return head.split()[1], fields.get(b"connection") != b"close"


if __name__ == "__main__":
    asyncio.run(main())
