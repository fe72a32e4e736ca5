"""Training dynamics in memory: one curve per prompt, and the matrix of prompts and visits that methods score.

A *visit* is one time that training met a prompt. The rewards of its rollouts are averaged into one point of the
prompt's curve. Visit k of all prompts together is epoch k of the paper.
"""

from limr.trajectories.curves import Trajectories
from limr.trajectories.matrix import MISSING, SIGNALS, VisitMatrix, known_signals, usual_samples, visit_matrix

__all__ = [
    "MISSING",
    "SIGNALS",
    "Trajectories",
    "VisitMatrix",
    "known_signals",
    "usual_samples",
    "visit_matrix",
]
