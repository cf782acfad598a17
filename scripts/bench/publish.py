"""Fill the queue of a peer. Usage: publish.py MODULE TASK COUNT"""

import importlib
import sys

module, task, count = sys.argv[1:]
importlib.import_module(f"peers.{module}").publish(task for _ in range(int(count)))
