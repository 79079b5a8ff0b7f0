"""The program that makes the weights of the built-in depth model; not installed."""
