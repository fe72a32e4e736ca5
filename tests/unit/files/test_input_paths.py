"""Devices, pipes and sockets are no inputs; names that are not UTF-8 are refused."""

import os
import socket
from pathlib import Path

import pytest
from refusals import refused

from limr.files.contracts import read_parquet
from limr.files.input_paths import refuse_special, refuse_undecodable
from limr.files.rows import read_rows
from limr.logs.log_files import log_files
from limr.logs.source import read_source


@pytest.fixture
def special(tmp_path, monkeypatch):
    """A folder with a device, a pipe and a socket: kind -> name."""
    monkeypatch.chdir(tmp_path)  # the path of a socket may have 107 characters at most
    os.mkfifo("pipe.jsonl")
    Path("device.jsonl").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.jsonl")
    return {"a pipe": "pipe.jsonl", "a device": "device.jsonl", "a socket": "socket.jsonl"}


def test_special_files_are_refused_without_opening_them(special):
    for kind, name in special.items():
        with refused(where=name, found=kind, expected="a file", advice="Save the data in a file"):
            refuse_special(name)
    refuse_special("absent.jsonl")
    refuse_special(".")


def test_every_reader_refuses_them(special):
    os.mkfifo("pipe.parquet")
    for read in (read_source, lambda name: log_files(Path(name)), lambda name: list(read_rows(name))):
        for name in (*special.values(), "pipe.parquet"):
            with refused(where=name, expected="a file"):
                read(name)
    with refused(where="pipe.parquet", found="a pipe"):
        read_parquet("pipe.parquet", "scores")


def test_a_folder_with_a_pipe_is_read_without_it(special):
    Path("logs").mkdir()
    os.mkfifo("logs/0.parquet")
    with refused(where="logs", what="there is no .json, .jsonl, .csv, .parquet file in it"):
        read_source("logs")


def test_a_name_that_is_not_utf8_is_refused(tmp_path):
    refuse_undecodable("é.jsonl")
    with refused(where=r"\udcff.jsonl", found="bytes that are not UTF-8", advice="Rename"):
        refuse_undecodable(os.fsdecode(b"\xff.jsonl"))
    (tmp_path / os.fsdecode(b"\xff.parquet")).write_text("")
    with refused(found="bytes that are not UTF-8"):
        log_files(tmp_path)
