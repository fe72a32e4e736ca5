"""How each prompt fared over training: from the rollouts a run left behind to one curve a prompt.

A *visit* is one time that training met a prompt; its rollouts are averaged into one point of the prompt's curve.
Visit k of every prompt together is epoch k of the paper.
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
