"""Queues as the broker has them: depth, pause and resume, purge."""
