"""What a study's stage on hardware found."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from qsynth.circuits.spend import Spend
from qsynth.errors import FileError
from qsynth.files.json_text import read_json

if TYPE_CHECKING:
    from rl_envs.fine_tuning import FineTuning


@dataclass(frozen=True, kw_only=True)
class DeviceResult:
    """The best generator on a device.

    Attributes:
        device: its name.
        simulated: test score and raw metrics of the generator on the exact simulator.
        before: the same on the device, with the weights that the simulator learned.
        after: the same with the weights that are kept.
        scores: validation score on the device at each decision, from the first one.
        kept: which of them, the best.
        reason: why it ended.
        estimated: what it was expected to take; spent: what it took.
        bill: the latter in words, with its price.
    """

    device: str
    simulated: dict[str, float]
    before: dict[str, float]
    after: dict[str, float]
    scores: tuple[float, ...]
    kept: int
    reason: str
    estimated: Spend
    spent: Spend
    bill: str

    @classmethod
    def of(
        cls, device: str, simulated: dict[str, float], found: "FineTuning", estimated: Spend, bill: str
    ) -> "DeviceResult":
        """From the fine-tuning itself."""
        return cls(
            device=device,
            simulated=simulated,
            before=found.before,
            after=found.after,
            scores=found.scores,
            kept=found.kept,
            reason=found.reason,
            estimated=estimated,
            spent=found.spent,
            bill=bill,
        )

    @classmethod
    def read(cls, file: Path) -> "DeviceResult":
        """What a run has kept of it.

        Raises:
            FileError: it is something else, or can't be read.
        """
        try:
            return TypeAdapter(cls).validate_python(read_json(file))
        except (FileError, ValidationError):
            raise FileError(
                f"{file} must hold what the device found; move it away to have that made anew, on the device"
            ) from None

    def markdown(self) -> str:
        """The report's section."""
        rows = (
            ("exact simulator", self.simulated),
            (f"{self.device}, as learned on the simulator", self.before),
            (f"{self.device}, fine-tuned there", self.after),
        )
        metrics = list(self.simulated)
        lines = [f"| | {' | '.join(metrics)} |", f"|---|{'---|' * len(metrics)}"]
        lines += [f"| {name} | {' | '.join(f'{values[m]:.3f}' for m in metrics)} |" for name, values in rows]
        decisions = len(self.scores) - 1
        kept = f"the weights after decision {self.kept}" if self.kept else "the weights as they came"
        ended = {"budget": "all decisions done", "shots": "the budget of shots was used up"}.get(
            self.reason, self.reason
        )
        told = (
            f"Test rows; more is better in score and qnn_accuracy, less in all others. Spent: {self.bill} "
            f"(estimate: {self.estimated.circuits:,} circuits, {self.estimated.shots:,} shots). "
            f"{decisions} decisions ({ended}); validation on the device chose {kept}."
        )
        return "\n".join([*lines, "", told])

    def metrics(self) -> dict[str, float]:
        """For MLflow."""
        named = {"simulated": self.simulated, "before": self.before, "after": self.after}
        values = {f"device_{when}/{name}": value for when, found in named.items() for name, value in found.items()}
        spent: dict[str, Any] = {"circuits": self.spent.circuits, "shots": self.spent.shots}
        return values | {f"device_spent/{name}": float(value) for name, value in spent.items()}
