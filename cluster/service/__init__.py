"""Daemons of this machine, and studies as Ray jobs."""
