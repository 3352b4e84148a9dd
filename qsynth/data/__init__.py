"""Data sets and the instances that trials learn."""
