import signal

from django.core.management.base import CommandParser

from rowlock.management.output import Output
from rowlock.management.subcommand import Options, Subcommand
from rowlock.outbox.relay import Relay
from rowlock.runs.registry import celery_app

#: Seconds that are given, after the signal, to what is being published.
GRACE = 10.0
_SIGNALS = {signal.SIGTERM, signal.SIGINT}


def _add_arguments(parser: CommandParser) -> None:
    pass


def _run(options: Options, output: Output) -> None:
    # Blocked before the thread starts, which inherits it: a handler could run while the relay holds a lock.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        relay = Relay(celery_app())
        relay.start()
        output.remark("Publishing what is queued; TERM or Ctrl-C ends it.")
        signal.sigwait(_SIGNALS)
        relay.stop(seconds=GRACE)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


SUBCOMMAND = Subcommand(
    name="relay", help="publish what is queued, in the foreground, until TERM", add_arguments=_add_arguments, run=_run
)
