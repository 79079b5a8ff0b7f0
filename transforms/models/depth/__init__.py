"""Depth models behind one interface, and the weights of the built-in one."""
