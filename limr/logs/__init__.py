"""Reading a training run: which prompt each rollout was of, at which step, at which visit, and what it earned.

A log of any framework (``formats/``) becomes one ``Log``; ``visits.py`` numbers its visits; ``source.py`` turns what
a run left behind into trajectories, with an audit.
"""
