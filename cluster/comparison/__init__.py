"""Rivals under equal budgets on the same problems."""
