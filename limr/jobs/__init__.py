"""What a stage needs to run exactly once: locks, GPUs, resources, SLURM."""
