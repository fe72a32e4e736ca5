#!/usr/bin/env python3
"""A stand-in for SLURM's commands. Links with their names, in a folder of PATH, point to it. It submits nothing.

It writes each call, as a line of JSON, to the file that SBATCH_STAND_IN names. ``sacctmgr`` lists one account, and all
other commands fail, so ``sbatch`` refuses the job.
"""

import json
import os
import sys
from pathlib import Path


def main() -> None:
    """Record the call and answer it."""
    name = Path(sys.argv[0]).name
    with Path(os.environ["SBATCH_STAND_IN"]).open("a", encoding="utf-8") as calls:
        calls.write(json.dumps([name, *sys.argv[1:]]) + "\n")
    if name != "sacctmgr":
        sys.exit("this is a stand-in for SLURM")
    print("paper")


if __name__ == "__main__":
    main()
