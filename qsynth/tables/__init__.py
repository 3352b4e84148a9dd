"""Own tables: read as they are, described by a schema, coded as numbers and decoded into what they were."""
