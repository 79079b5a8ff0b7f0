"""Readers for training: `pipeline.readers.torch` and `pipeline.readers.tensorflow`."""
