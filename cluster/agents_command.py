"""What ``qsynth agents`` does."""

from cluster.cli import emit
from cluster.process import prepare_process

prepare_process()

from rich.console import Console  # noqa: E402

from cluster.agent_card import show_card  # noqa: E402
from rl_envs.pretrained import agents, card  # noqa: E402


def list_agents(as_json: bool) -> None:
    """``qsynth agents``."""
    cards = {name: card(name) for name in agents()}
    if as_json:
        emit({name: file.model_dump(mode="json") for name, file in cards.items()})
        return
    console = Console()
    for name, file in cards.items():
        show_card(console, name, file)
