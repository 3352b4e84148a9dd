"""Data sets of quantum states, with their physics."""
