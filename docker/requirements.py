"""Prints what qsynth depends on, one requirement a line: pyproject.toml's dependencies, those of the extras named as
arguments, and Ray's dashboard, which a node of a cluster needs for its Jobs API and its metrics."""

import sys
import tomllib

with open("pyproject.toml", "rb") as file:
    project = tomllib.load(file)["project"]
extras = [need for extra in sys.argv[1:] for need in project["optional-dependencies"][extra]]
print(*project["dependencies"], *extras, "ray[default]", sep="\n")
