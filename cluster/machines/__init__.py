"""Ray: the session, fair shares, populations and devices in actors."""
