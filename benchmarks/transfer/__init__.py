"""What data sets are worth on real photographs: `python -m benchmarks.transfer --help`."""
