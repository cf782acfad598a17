"""The audit log: who did what to which run, queue or schedule, and from where."""
