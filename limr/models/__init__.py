"""Models as Hugging Face directories: the base model, checkpoints, the chat template."""
