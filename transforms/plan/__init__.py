"""Which samples there are, in which order, and where each foreground is pasted."""
