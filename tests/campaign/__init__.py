"""Campaigns against the whole project: random commands (``commands.py``) and random kills (``kills.py``)."""
