"""Files from the Hugging Face hub: retried, resumed, checked against the hub's own SHA-256.

``huggingface_hub`` retries when the hub is busy, resumes after a cut connection, and caches whole files, so a killed
download fetches only what is missing. This module adds three things: it retries other failures during a download, it
checks the bytes, and its errors give advice.
"""

import hashlib
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from limr.errors import LimrError, first_line

logger = logging.getLogger(__name__)

ATTEMPTS = 4
FIRST_WAIT = 2.0  # seconds; doubled at each further attempt
SECONDS_TO_ANSWER = 10.0

_unreachable = ""  # why the hub cannot be reached; only set inside ``no_waiting``

for _client in ("httpx", "httpx2"):  # huggingface_hub's client, by version: it logs one line per request
    logging.getLogger(_client).setLevel(logging.WARNING)

LOCAL = {
    "dataset": "`data: {files: FOLDER}`, with the layout that docs/data.md describes",
    "model": "`base_model: {path: FOLDER}`, a Hugging Face model directory",
}


class NotOnHubError(LimrError):
    """The hub answered that it does not have the file."""


def hub_file(repository: str, revision: str, name: str, kind: str = "dataset") -> Path:
    """The path of file ``name`` of ``repository`` at ``revision`` in the hub's cache; downloaded if it is missing.

    ``kind``: "dataset" or "model". Raises LimrError with two ways to get the file when it cannot be downloaded, or when
    its checksum is not the hub's.
    """
    from huggingface_hub import errors, hf_hub_download

    # remove the package's own handler, because the stage's log already shows each line
    logging.getLogger("huggingface_hub").handlers.clear()

    where = f"{repository}@{revision[:12]}/{name}"
    ways_out = (
        "Either connect this machine to the hub (HF_HUB_OFFLINE unset; HF_ENDPOINT names a mirror) and run again; "
        f"files that have arrived are kept. Or name local files: {LOCAL[kind]}."
    )
    again = False
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(FIRST_WAIT * 2 ** (attempt - 1))
        try:
            path = Path(hf_hub_download(repository, name, repo_type=kind, revision=revision, force_download=again))
        except errors.GatedRepoError as error:
            raise LimrError(
                f"the hub gives this file only to users who have accepted its terms ({first_line(error)})",
                where=where,
                advice=f"Accept the terms on the page of the repository, and set HF_TOKEN to your token. {ways_out}",
            ) from error
        except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.RemoteEntryNotFoundError) as error:
            raise NotOnHubError(
                f"the hub does not have this file ({first_line(error)})",
                where=where,
                advice=f"Check whether it was withdrawn. {ways_out}",
            ) from error
        except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled) as error:
            raise LimrError(
                f"cannot be downloaded ({_unreachable or _root_cause(error)})", where=where, advice=ways_out
            ) from error
        except (errors.HTTPError, OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # a fault of this machine's disk, not of the hub
            failure = first_line(error)
        else:
            failure = _wrong_bytes(path)
            if not failure:
                return path
            again = True
        logger.warning("%s: attempt %d of %d failed: %s", where, attempt + 1, ATTEMPTS, failure)
    raise LimrError(
        f"cannot be downloaded: {ATTEMPTS} attempts failed (the last: {failure})", where=where, advice=ways_out
    )


@contextmanager
def no_waiting() -> Iterator[None]:
    """Check once whether the hub answers. If not, files come from the cache, and uncached files fail at once."""
    global _unreachable
    from huggingface_hub import constants
    from huggingface_hub.utils import get_session

    before = constants.HF_HUB_OFFLINE
    if not before:
        try:
            get_session().head(constants.ENDPOINT, timeout=SECONDS_TO_ANSWER)
        except Exception as error:  # depends on the HTTP client that this version of huggingface_hub uses
            _unreachable = f"{constants.ENDPOINT} does not answer: {first_line(error)}"
            constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE, _unreachable = before, ""


def optional_hub_file(repository: str, revision: str, name: str, kind: str = "dataset") -> Path | None:
    """As ``hub_file``, for an optional file: None if the hub (under HF_HUB_OFFLINE: the cache) does not have it.

    Raises LimrError if the hub cannot be reached: a failed download does not count as a file that does not exist.
    """
    from huggingface_hub import constants, try_to_load_from_cache

    if constants.HF_HUB_OFFLINE:
        found = try_to_load_from_cache(repository, name, revision=revision, repo_type=kind)
        return Path(found) if isinstance(found, str) else None
    try:
        return hub_file(repository, revision, name, kind)
    except NotOnHubError:
        return None


def _wrong_bytes(path: Path) -> str:
    """The checksum error of a file in the hub's cache, or "". The blob's name is the SHA-256 that the hub promised."""
    promised = path.resolve().name
    if not re.fullmatch("[0-9a-f]{64}", promised):
        return ""
    with path.open("rb") as handle:
        found = hashlib.file_digest(handle, "sha256").hexdigest()
    return "" if found == promised else f"its SHA-256 is {found}, but the hub promised {promised}"


def _root_cause(error: BaseException) -> str:
    """The first line of the exception that ``error`` was raised from."""
    while error.__cause__ is not None:
        error = error.__cause__
    return first_line(error)
