"""Files, signals and processes; knows no study."""
