"""Few learned rows in place of many real ones, and what training costs in circuits."""
