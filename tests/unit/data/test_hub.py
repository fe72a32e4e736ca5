"""Downloads from a stand-in for the hub that is busy, cuts connections and sends wrong bytes."""

import hashlib
import json
import logging
from pathlib import Path

import pytest
from hub_stand_in import BUSY, CORRUPT, CUT, point_at
from refusals import refused

from limr.data.download import download
from limr.data.hub import ATTEMPTS, NotOnHubError, hub_file
from limr.data.source_rows import digest, read_problems
from limr.data.sources import SOURCES, Source
from limr.errors import ContractError
from limr.files.contracts import read_parquet

REPOSITORY, REVISION, NAME = "org/problems", "0" * 40, "part/test.jsonl"
CONTENT = b"".join(
    json.dumps({"question": f"{n} + {n}?", "answer": f"{2 * n}.0"}).encode() + b"\n" for n in range(2000)
)


@pytest.fixture
def hub(hub):
    """The stand-in with one file."""
    hub.files[f"{REPOSITORY}/{NAME}"] = CONTENT
    return hub


def fetch() -> bytes:
    return hub_file(REPOSITORY, REVISION, NAME).read_bytes()


def cached_blobs(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "cache").rglob("blobs/*") if path.is_file()]


def test_a_file_is_downloaded_once_and_then_taken_from_the_cache(hub):
    assert fetch() == fetch() == CONTENT
    assert hub.downloads == [(f"{REPOSITORY}/{NAME}", 0)]


@pytest.mark.parametrize("faults", [[BUSY], [BUSY, BUSY, BUSY]])
def test_a_download_from_a_busy_hub_is_retried(hub, faults):
    hub.faults, hub.busy_heads = list(faults), 2
    assert fetch() == CONTENT
    assert len(hub.downloads) == len(faults) + 1


def test_a_cut_connection_is_resumed_where_it_stopped(hub, monkeypatch):
    from huggingface_hub import constants

    # small chunks, because the file is small and only whole chunks are kept
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    hub.faults = [CUT, CUT]
    assert fetch() == CONTENT
    starts = [start for _, start in hub.downloads]
    assert starts[0] == 0 < starts[1] < starts[2]


def test_wrong_bytes_are_deleted_and_downloaded_again(hub, caplog):
    hub.faults = [CORRUPT]
    assert fetch() == CONTENT
    assert "the hub promised" in caplog.text


def test_bytes_that_stay_wrong_are_an_error_with_both_checksums_and_never_used_later(hub):
    hub.faults = [CORRUPT] * ATTEMPTS
    wrong, right = (hashlib.sha256(content).hexdigest() for content in (CONTENT[::-1], CONTENT))
    with refused(where=NAME, what=f"SHA-256 is {wrong}, but the hub promised {right}"):
        fetch()
    assert fetch() == CONTENT


def test_a_download_that_never_succeeds_leaves_no_partial_file(hub, tmp_path):
    hub.faults = [BUSY] * 100
    with refused(where=NAME, what=f"{ATTEMPTS} attempts failed") as caught:
        fetch()
    assert "503" in caught.value.what
    assert not cached_blobs(tmp_path)


def test_a_file_that_the_hub_does_not_have_is_an_error_at_once(hub):
    hub.files.clear()
    with refused(NotOnHubError, where=NAME, what="the hub does not have this file"):
        fetch()
    assert not hub.downloads


@pytest.mark.parametrize("offline", [True, False])
def test_without_a_connection_the_error_names_both_solutions(hub, monkeypatch, offline):
    from huggingface_hub import constants

    if offline:
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    else:
        point_at("http://127.0.0.1:9", monkeypatch)  # no server listens at this port
    with refused(where=NAME, what="cannot be downloaded", advice="connect this machine to the hub") as caught:
        fetch()
    assert "data: {files: FOLDER}" in caught.value.advice
    assert ".. " not in str(caught.value)
    assert not hub.downloads


def test_each_log_line_of_the_hubs_client_is_shown_once(hub):
    fetch()
    client = logging.getLogger("huggingface_hub")
    assert client.propagate
    assert not client.handlers


def test_without_a_connection_earlier_downloads_are_used(hub, monkeypatch):
    from huggingface_hub import constants

    fetch()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert fetch() == CONTENT


@pytest.fixture
def source(tmp_path, monkeypatch) -> Source:
    """A source with problems on the stand-in."""
    (tmp_path / "copy.jsonl").write_bytes(CONTENT)
    bare = Source("Sums", REPOSITORY, REVISION, (NAME,), "copy.jsonl", rows=2000, digest="", integers=True)
    right = digest(read_problems([tmp_path / "copy.jsonl"], bare), bare)
    made = Source("Sums", REPOSITORY, REVISION, (NAME,), "copy.jsonl", rows=2000, digest=right, integers=True)
    monkeypatch.setitem(SOURCES, "sums", made)
    return made


def test_the_hub_and_a_local_file_give_the_same_bytes(hub, source, tmp_path):
    download("sums", tmp_path / "hub.parquet")
    download("sums", tmp_path / "local.parquet", tmp_path / "copy.jsonl")
    assert (tmp_path / "hub.parquet").read_bytes() == (tmp_path / "local.parquet").read_bytes()
    assert read_parquet(tmp_path / "hub.parquet", "problems")["answer"][:3].to_list() == ["0", "2", "4"]


def test_other_rows_than_the_pinned_ones_are_refused_and_nothing_is_written(hub, source, tmp_path):
    hub.files[f"{REPOSITORY}/{NAME}"] = CONTENT.replace(b'"4.0"', b'"5.0"')
    with refused(ContractError, what="not the 2,000 problems of Sums", found="2,000 rows with digest"):
        download("sums", tmp_path / "hub.parquet")
    assert not (tmp_path / "hub.parquet").exists()
