"""What serves local processes: workers, and the lock of an output folder."""
