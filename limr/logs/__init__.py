"""Reading a training run: the prompt, the step, the visit and the reward of each rollout.

The log of any framework (``formats/``) becomes one ``Log``: each format maps its keys to our columns, ``normalise.py``
checks and converts them, ``whole.py`` joins the files. ``visits.py`` numbers the visits, and ``source.py`` turns the
files of a run into trajectories with an audit.
"""
