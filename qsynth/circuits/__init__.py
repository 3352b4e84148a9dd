"""Quantum circuits: ansaetze, and the engines that execute them."""
