"""What the cluster tests drive: docker, kind, kubectl and helm on PATH, and the web server over HTTP."""
