"""A QNN that asks for the rows it learns."""
