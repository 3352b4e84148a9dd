"""Prints what qsynth depends on, one requirement a line: pyproject.toml's dependencies, those of the extras named as
arguments."""

import sys
import tomllib

with open("pyproject.toml", "rb") as file:
    project = tomllib.load(file)["project"]
extras = [need for extra in sys.argv[1:] for need in project["optional-dependencies"][extra]]
print(*project["dependencies"], *extras, sep="\n")
