"""Rivals: ways to spend a budget on one problem; a file each, entered in ``roster.py``."""
