"""Pictures in and out: decoding, resizing, cut-outs, encoding."""
