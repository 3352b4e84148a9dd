"""A trial, and K of them in lockstep."""
