"""Support for the stages of the workflow: one process per stage, GPUs, resources, SLURM."""
