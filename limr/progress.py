"""The progress of long loops as log lines, which stay readable in a log file or when jobs share a terminal."""

import logging
import time

from tqdm import tqdm

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 10.0


class ProgressLines:
    """Logs a tqdm meter (steps done, rate, time left) at most once in ten seconds, and at the end.

    ``first`` of the ``total`` steps were done by an earlier run.
    """

    def __init__(self, title: str, total: int, first: int = 0) -> None:
        self.title, self.total, self.first = title, total, first
        self.done = first
        self.started = self.logged = time.monotonic()

    def update(self, note: str = "") -> None:
        """Count one more step; ``note`` is added to its line."""
        self.done += 1
        now = time.monotonic()
        if now - self.logged >= SECONDS_BETWEEN_LINES or self.done == self.total:
            self.logged = now
            meter = tqdm.format_meter(
                self.done, self.total, now - self.started, initial=self.first, unit="step", ncols=72, ascii=True
            )
            logger.info("%s: %s %s", self.title, meter, note)
