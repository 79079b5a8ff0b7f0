"""A finished data set in a browser: a small server on this machine, and its page."""
