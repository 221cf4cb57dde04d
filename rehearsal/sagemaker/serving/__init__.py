"""Serving models: the program in the container, and the engine's side of it."""
