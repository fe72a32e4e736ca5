"""Progress of long loops as log lines: readable when several jobs share a terminal, and in a log file afterwards."""

import logging
import time

from tqdm import tqdm

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 10.0


class ProgressLines:
    """Logs a tqdm meter (done, rate, time left) at most every few seconds, and at the end.

    ``first`` of ``total`` steps were done by an earlier run.
    """

    def __init__(self, title: str, total: int, first: int = 0) -> None:
        self.title, self.total, self.first = title, total, first
        self.done = first
        self.started = self.logged = time.monotonic()

    def update(self, note: str = "") -> None:
        """One more step is done; ``note`` says how it went."""
        self.done += 1
        now = time.monotonic()
        if now - self.logged >= SECONDS_BETWEEN_LINES or self.done == self.total:
            self.logged = now
            meter = tqdm.format_meter(
                self.done, self.total, now - self.started, initial=self.first, unit="step", ncols=72, ascii=True
            )
            logger.info("%s: %s %s", self.title, meter, note)
