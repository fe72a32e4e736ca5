"""Replaces flash-attn, which needs CUDA. Nothing here computes."""
