"""Shots of a ground state, as models of their law see them: what is known of it, and folds that choose.

A law is a row of the probabilities of all D = 2^n strings, the first bit the highest. A model has options (what it is
made of, its stop, how much of the uniform law is mixed in), which only folds of the shots choose.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

FLOOR = 1e-7
UNIFORM_SHARES = (0.001, 0.003, 0.01, 0.03, 0.06, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 0.95)


class Symmetry:
    """What is known of the chain's laws: turned end to end, and in Z with all bits turned over, a string is as likely;
    in X it has an even number of ones."""

    def __init__(self, n_qubits: int, basis: str) -> None:
        strings = np.arange(2**n_qubits)
        bits = strings[:, None] >> np.arange(n_qubits)[::-1] & 1
        turned = bits @ (1 << np.arange(n_qubits))
        turns = [strings, turned] if basis == "x" else [strings, turned, strings[::-1], turned[::-1]]
        even = bits.sum(axis=1) % 2 == 0 if basis == "x" else np.ones(len(strings), dtype=bool)
        self._turns = torch.from_numpy(np.stack(turns).copy())
        self.allowed = torch.from_numpy(even).float()

    def __call__(self, law: Tensor) -> Tensor:
        """The mean over turns of laws (... x D), given that the string is allowed."""
        mean = law[..., self._turns].mean(dim=-2) * self.allowed
        return mean / mean.sum(dim=-1, keepdim=True).clamp(min=FLOOR)


@dataclass(frozen=True)
class Folds:
    """Shots of many data sets, cut into folds.

    Attributes:
        held_out: counts of each string in each fold, sets x folds x D.
    """

    held_out: Tensor

    @classmethod
    def of(cls, strings: Sequence[np.ndarray], size: int, n_folds: int) -> "Folds":
        """Of each set's strings; every ``n_folds``-th is in the same fold."""
        counts = [[np.bincount(each[fold::n_folds], minlength=size) for fold in range(n_folds)] for each in strings]
        return cls(torch.from_numpy(np.array(counts)).float())

    def shares(self) -> Tensor:
        """What models learn from, (sets x (folds + 1)) x D: all but one fold, and at last everything."""
        whole = self.held_out.sum(dim=1, keepdim=True)
        counts = torch.cat([whole - self.held_out, whole], dim=1)
        return (counts / counts.sum(dim=2, keepdim=True)).flatten(0, 1)

    def whole(self, laws: Tensor) -> Tensor:
        """Of laws learned from :meth:`shares`, those learned from everything, sets x D."""
        return laws.unflatten(0, (len(self.held_out), -1))[:, -1]

    def chosen(self, laws: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor]:
        """Of all options and shares of the uniform law, for each set, what makes the held-out shots likeliest.

        Args:
            laws: learned from :meth:`shares`, options x (sets x (folds + 1)) x D.
            uniform: the law that is mixed in, D.

        Returns:
            The laws (sets x D), which learned from everything, and the options (sets).
        """
        n_sets, n_folds = self.held_out.shape[:2]
        laws = laws.unflatten(1, (n_sets, n_folds + 1))
        scores = []
        for share in UNIFORM_SHARES:
            logs = torch.log((1 - share) * laws[:, :, :-1] + share * uniform + FLOOR)
            scores.append((self.held_out * logs).sum(dim=(2, 3)))
        best = torch.stack(scores, dim=1).flatten(0, 1).argmax(dim=0)
        option, share = best // len(UNIFORM_SHARES), torch.tensor(UNIFORM_SHARES)[best % len(UNIFORM_SHARES), None]
        law = laws[option, torch.arange(n_sets), -1]
        return (1 - share) * law + share * uniform, option
