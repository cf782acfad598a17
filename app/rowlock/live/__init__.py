"""Live updates of runs over WebSocket and server-sent events: first a snapshot, then what changes."""
