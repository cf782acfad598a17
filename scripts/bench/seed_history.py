"""Fill the empty history of DATABASE_URL, migrated first. Usage: seed_history.py RUNS"""

import sys

import django
from django.core.management import call_command

django.setup()
call_command("migrate", verbosity=0)

from seeding import seed  # noqa: E402 - Django comes first

seed(int(sys.argv[1]))
