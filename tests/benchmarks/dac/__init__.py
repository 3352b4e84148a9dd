"""Published benchmarks of dynamic algorithm configuration whose optimum is known, to see that the agent learns.

Biedenkapp, Bozkurt, Eimer, Hutter, Lindauer: Dynamic Algorithm Configuration, ECAI 2020; and Eimer et al.: DACBench,
IJCAI 2021, package 0.5.6. Written from their formulas; a test compares them with that package step by step.
"""
