"""Fill the queue of the variant: a stamp, COUNT tasks that do nothing, a stamp. Usage: publish.py COUNT KEY"""

import sys

from project import app, nothing, stamp

count, key = int(sys.argv[1]), sys.argv[2]
with app.producer_pool.acquire(block=True) as producer:
    stamp.apply_async((f"{key}-first",), producer=producer)
    for _ in range(count):
        nothing.apply_async(producer=producer)
    stamp.apply_async((f"{key}-last",), producer=producer)
