"""What synthetic rows are worth to a QNN: arms on data sets, regimes and seeds."""
