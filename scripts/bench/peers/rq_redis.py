"""RQ: a pool of two workers, once with the default that forks for every job, once with the one that does not.

SimpleWorker is what RQ's own benchmark recommends for very short jobs:
https://github.com/rq/rq/blob/master/docs/benchmark.md
`result_ttl=0` deletes a job at its end, as documented for results that nobody reads: https://python-rq.org/docs/results/
Jobs are published in pipelines: https://python-rq.org/docs/#bulk-job-enqueueing
The pool: https://python-rq.org/docs/workers/#worker-pool

As a program this is `rq worker-pool --num-workers 2 --worker-class CLASS --quiet`, with the addresses of the
environment.
"""

import os
import sys
from collections.abc import Iterable
from itertools import islice

from redis import Redis
from rq import Queue
from rq.cli import main

import work
from work import Kind

TASKS = {"nothing": work.nothing, "brief": work.brief}


def publish(tasks: Iterable[Kind]) -> None:
    queue = Queue(os.environ["QUEUE"], connection=Redis.from_url(os.environ["REDIS_URL"]))
    jobs = (Queue.prepare_data(TASKS[task], result_ttl=0) for task in tasks)
    while chunk := list(islice(jobs, 1000)):
        queue.enqueue_many(chunk)


if __name__ == "__main__":
    options = ["--url", os.environ["REDIS_URL"], "--num-workers", "2", "--worker-class", sys.argv[1], "--quiet"]
    main(["worker-pool", *options, os.environ["QUEUE"]])
