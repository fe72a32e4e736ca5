"""What a stage needs to run once: locks, GPUs, resources, SLURM."""
