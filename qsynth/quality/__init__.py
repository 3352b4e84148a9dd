"""What synthetic rows are worth beside real ones, and the report on them."""
