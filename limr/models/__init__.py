"""Base models, checkpoints and their chat template: Hugging Face model directories."""
