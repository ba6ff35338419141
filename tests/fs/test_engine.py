"""What is used of fsspec is there, in every version of it that is allowed."""

from __future__ import annotations

import inspect

import fsspec.asyn
import fsspec.spec

from gh_artifacts_async.fs import ArtifactsFileSystem, engine


def test_names():
    """Each name is fsspec's."""
    names = [name for name in vars(engine) if name.isidentifier() and not name.startswith("_")]
    handed_on = [name for name in names if getattr(getattr(engine, name), "__module__", "").startswith("fsspec.")]
    assert handed_on == [name for name in names if name not in {"annotations", "fsspec", "Any"}]
    assert engine.AsyncFileSystem is fsspec.asyn.AsyncFileSystem


def test_every_method_of_fsspec_reads_or_refuses():
    """A method that fsspec may add, and that writes, would not go unnoticed: these are all there are."""
    reading = {
        *("cat", "cat_file", "cat_ranges", "checksum", "clear_instance_cache", "created", "current", "disk_usage"),
        *("download", "du", "end_transaction", "exists", "expand_path", "find", "from_dict", "from_json", "fsid"),
        *("get", "get_file", "get_mapper", "glob", "head", "info", "invalidate_cache", "isdir", "isfile", "lexists"),
        *("listdir", "ls", "modified", "open", "read_block", "read_bytes", "read_text", "sign", "size", "sizes"),
        *("stat", "tail", "to_dict", "to_json", "transaction", "tree", "ukey", "unstrip_protocol", "walk"),
    }
    public = {
        name
        for name, value in inspect.getmembers(fsspec.spec.AbstractFileSystem)
        if not name.startswith("_") and (callable(value) or isinstance(value, property)) and not inspect.isclass(value)
    }
    refused = {name for name in public if getattr(ArtifactsFileSystem, name, None) is ArtifactsFileSystem.rm}
    assert public - refused - reading == set()
