"""Measurements: each module is a command, `python -m tests.benchmarks.NAME`."""

from cluster.system.environment import prepare_process

prepare_process()
