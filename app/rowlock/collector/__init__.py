"""The small process that watches the broker and the outbox, also while no worker runs, and keeps the policies."""
