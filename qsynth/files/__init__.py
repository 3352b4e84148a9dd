"""Tensor files and files that ship with the packages."""
