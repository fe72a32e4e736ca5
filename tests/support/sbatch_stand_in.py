#!/usr/bin/env python3
"""Stands in for SLURM's commands, under whose names it is linked into a folder of the PATH: it submits nothing.

Each call is written, as a line of JSON, to the file that SBATCH_STAND_IN names. ``sacctmgr`` knows one account, and all
other commands fail: ``sbatch`` refuses the job.
"""

import json
import os
import sys
from pathlib import Path


def main() -> None:
    """Write the call down, and answer it."""
    name = Path(sys.argv[0]).name
    with Path(os.environ["SBATCH_STAND_IN"]).open("a", encoding="utf-8") as calls:
        calls.write(json.dumps([name, *sys.argv[1:]]) + "\n")
    if name != "sacctmgr":
        sys.exit("this is a stand-in for SLURM")
    print("paper")


if __name__ == "__main__":
    main()
