"""``qsynth circuit``: a study's circuit, drawn, with what it can do and what it costs."""

from rich.console import Console
from rich.table import Table

from cluster.cli.output import emit
from cluster.study.circuit_remarks import remarks, structure
from cluster.study.study import load_study
from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.engine import choose
from qsynth.circuits.structure import Outputs, Structure, drawing


def run_circuit(study_name: str, as_json: bool) -> None:
    """Print the circuit, what it can do, and warnings.

    Raises:
        QsynthError: an invalid study.
    """
    study = load_study(study_name)
    study.check()
    found = structure(study)
    engine = choose(study.trial.engine, study.trial.n_qubits)
    if as_json:
        emit({"study": study.name, "engine": engine.name, **found.to_dict()})
        return
    console = Console(highlight=False)
    ansatz, width = ANSAETZE[found.ansatz].encoded(found.encoder), min(console.width, 120)
    drawn = drawing(ansatz, found.n_qubits, found.n_layers, found.readout, width)
    console.print(drawn, markup=False, soft_wrap=True)
    facts = Table(box=None, show_header=False, pad_edge=False)
    for name, value in {**_facts(found), "engine": f"{engine.name}: {engine.reason}"}.items():
        facts.add_row(name, value)
    console.print()
    console.print(facts)
    if found.outputs is not None:
        console.print()
        console.print(_outputs(found.outputs))
    for line in remarks(found):
        console.print(f"note: {line}", markup=False, soft_wrap=True)


def _facts(found: Structure) -> dict[str, str]:
    """Name -> finding, in words."""
    work, readout = found.work, found.readout if isinstance(found.readout, str) else ", ".join(found.readout)
    gates = ", ".join(f"{count} {name}" for name, count in sorted(found.gates.items()))
    shots = "" if work.shots is None else f" of {work.shots:,} shots together"
    return {
        "ansatz": f"{found.ansatz}, encoder {found.encoder}, readout {readout}",
        "parameters": f"{found.n_weights} weights in {found.n_layers} layers; {found.n_inputs} inputs",
        "gates": f"{gates}; depth {found.depth}",
        "outputs": f"{found.n_used} of {found.n_outputs} are used",
        "a GAN iteration": f"{work.outputs + work.gradient:,} circuits{shots}: {work.outputs:,} for outputs, "
        f"{work.gradient:,} for the gradient by {work.method}",
    }


def _outputs(outputs: Outputs) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("output", "at random angles", "sd", "sd over the noise, untrained"):
        table.add_column(heading, justify="left" if heading == "output" else "right")
    for index, (low, high, sd, spread) in enumerate(zip(*outputs, strict=True)):
        table.add_row(str(index), f"{low:.2f} to {high:.2f}", f"{sd:.2f}", f"{spread:.2g}")
    return table
