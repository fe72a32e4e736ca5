"""Training engine ``openrlhf``: OpenRLHF on Ray, vLLM and DeepSpeed, unmodified, with the project's own records.

OpenRLHF, Ray and vLLM are imported by ``executor`` and inside functions of ``launch`` alone: all else here works
without them, so that a run can be planned, checked and read back anywhere.
"""

VERSION = "0.11.2"
"""The release of OpenRLHF that this engine is written for: its arguments, its log lines and its checkpoints."""
