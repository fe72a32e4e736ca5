"""Which prompts to train on: score methods, and the rule that turns scores into a selection."""
