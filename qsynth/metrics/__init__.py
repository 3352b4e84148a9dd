"""Numbers about samples: the scorecard of a trial."""
