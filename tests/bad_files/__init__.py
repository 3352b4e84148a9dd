"""Files that are damaged, forged or no files at all, of every kind that the product reads."""
