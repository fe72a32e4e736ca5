"""Stands in for flash-attn, which needs CUDA; nothing here computes."""
