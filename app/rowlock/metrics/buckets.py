"""The bounds by which waiting and run times are told apart, in Prometheus and in the statistics of the console."""

#: Seconds, from what a quick task takes up to the hour.
BUCKETS = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    *(60, 120, 300, 600, 1800, 3600),
)
