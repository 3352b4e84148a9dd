"""What ``qsynth agents`` does."""

from rich.console import Console

from cluster.cli.output import emit
from cluster.comparison.agent_card import show_card
from rl_envs.pretrained import (
    agents,
    card,
)


def list_agents(as_json: bool) -> None:
    """``qsynth agents``."""
    cards = {name: card(name) for name in agents()}
    if as_json:
        emit({name: file.model_dump(mode="json") for name, file in cards.items()})
        return
    console = Console()
    for name, file in cards.items():
        show_card(console, name, file)
