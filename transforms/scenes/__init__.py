"""Scenes: several objects on one background, where they could stand, in its light."""
