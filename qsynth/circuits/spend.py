"""What circuits cost: how many were executed, and with how many shots."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Spend:
    """Circuits executed and shots taken; hardware is billed by both."""

    circuits: int = 0
    shots: int = 0

    def __add__(self, other: "Spend") -> "Spend":
        return Spend(self.circuits + other.circuits, self.shots + other.shots)

    def __sub__(self, other: "Spend") -> "Spend":
        return Spend(self.circuits - other.circuits, self.shots - other.shots)

    def __mul__(self, times: int) -> "Spend":
        return Spend(self.circuits * times, self.shots * times)
