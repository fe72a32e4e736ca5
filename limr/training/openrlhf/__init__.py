"""Training engine ``openrlhf``: an unmodified OpenRLHF on Ray, vLLM and DeepSpeed, with this project's own records.

``openrlhf_training.train`` does this, in order:

1. It checks the installed packages, and that the run's folder belongs to a run with these settings (``run_folder``).
2. It writes the whole run as a data set: a row for each prompt of each step (``prompt_dataset``).
3. It repairs the checkpoints that a kill left incomplete, and finds the step to resume from (``checkpoints``).
4. It makes OpenRLHF's command line from the settings (``command_line``) and lets OpenRLHF's own parser check it
   (``parser``).
5. It runs the command to its end and stops it when it fails, diverges or hangs (``supervisor``). Progress and causes of
   failure are read from OpenRLHF's log (``training_log``).
6. It merges the records into the rollouts contract (``recorded_rollouts``), writes the metrics (``training_log``) and
   gives the checkpoints their final names (``checkpoints``).

The command runs in a separate process, which does this:

1. ``launch`` connects to Ray, on several nodes of a SLURM job if ``training.nodes`` is more than 1 (``cluster``).
2. It changes OpenRLHF's strategy object: prompts in our order, exact rotary positions (``strategy``).
3. It runs ``openrlhf.cli.train_ppo_ray``. Each vLLM actor loads ``executor``, which grades every response and appends
   it to the ``records``.

``openrlhf_settings`` describes the settings. Only ``executor`` and functions of ``launch`` and ``cluster`` import
OpenRLHF or Ray. So a run can be planned, checked and read back on any machine.
"""

VERSION = "0.11.2"
"""The release of OpenRLHF that this engine is written for: its arguments, log lines and checkpoints."""
