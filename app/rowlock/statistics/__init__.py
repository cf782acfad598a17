"""What happened in each minute: throughput, waiting times, failures."""
