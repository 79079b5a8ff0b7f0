"""Depth models behind one interface; `load_model` is the way in."""
