"""LIMR: which training prompts does reinforcement learning really need? (arXiv 2502.11886)"""

__version__ = "0.3.0"
