"""What Prometheus is told; the same names everywhere, each defined once."""
