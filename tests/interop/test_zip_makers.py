"""Zips of other people's making: what went in comes out, with its contents, its folders and its executable bits."""

from __future__ import annotations

import random
import subprocess
import zipfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from gh_artifacts_async import ArtifactsClient
from gh_artifacts_async.archive import extract
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.interop import REPO, environment, package, program

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.slow, pytest.mark.realtime]

FILES = {
    "read me.txt": b"all is well\n" * 9000,
    "empty": b"",
    "bin/run.sh": b"#!/bin/sh\necho well\n",
    "a/b/c/deep.bin": bytes(range(256)) * 300,
    "a/b/empty-too": b"",
    "grüße/höflich.txt": "schöne Grüße".encode(),
    "日本/語.txt": b"words",
    ".hidden/.file": b"hidden",
    "large.bin": random.Random(7).randbytes(5 * 2**20) + bytes(2**20),  # noqa: S311 - the same bytes every time
}
EXECUTABLE = {"bin/run.sh"}
EMPTY_FOLDERS = {"nothing", "a/nothing-here"}
FOLDERS = {"a", "a/b", "a/b/c", "bin", "grüße", "日本", ".hidden", *EMPTY_FOLDERS}

GO = """
package main

import (
	"archive/zip"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	source := os.Args[1]
	out, err := os.Create(os.Args[2])
	check(err)
	archive := zip.NewWriter(out)
	check(filepath.WalkDir(source, func(path string, entry fs.DirEntry, err error) error {
		check(err)
		if path == source {
			return nil
		}
		info, err := entry.Info()
		check(err)
		header, err := zip.FileInfoHeader(info)
		check(err)
		header.Name, err = filepath.Rel(source, path)
		check(err)
		header.Name = filepath.ToSlash(header.Name)
		if entry.IsDir() {
			header.Name += "/"
			_, err = archive.CreateHeader(header)
			return err
		}
		if os.Args[3] == "deflate" {
			header.Method = zip.Deflate
		}
		member, err := archive.CreateHeader(header)
		check(err)
		file, err := os.Open(path)
		check(err)
		defer file.Close()
		_, err = io.Copy(member, file)
		return err
	}))
	check(archive.Close())
	check(out.Close())
}
"""

# As the official uploader does it: names with a slash before them, folders as members without content or slash.
ARCHIVER = """
const [library, source, target, level, zip64] = process.argv.slice(2);
const fs = require("fs"), path = require("path"), archiver = require(library);
const zip = archiver.create("zip", {
  highWaterMark: 65536, zlib: {level: Number(level)}, ...(zip64 === "zip64" ? {forceZip64: true} : {}),
});
const fail = (error) => { console.error(error); process.exit(1); };
zip.on("error", fail);
zip.on("warning", fail);
const output = fs.createWriteStream(target);
output.on("error", fail);
zip.pipe(output);
const add = (folder) => {
  for (const name of fs.readdirSync(folder).sort()) {
    const full = path.join(folder, name), destination = full.replace(source, "");
    if (fs.statSync(full).isDirectory()) {
      zip.append("", {name: destination});
      add(full);
    } else {
      zip.append(fs.createReadStream(full), {name: destination});
    }
  }
};
add(source);
zip.finalize();
"""


class Maker(NamedTuple):
    """A way to make a zip of a folder.

    Attributes:
        make: does it: from a folder, to a file, in a folder to work in.
        modes: it keeps executable bits.
        folders: empty folders come out as such; the official uploader's are empty files.
    """

    make: Callable[[Path, Path, Path], object]
    modes: bool = True
    folders: bool = True


class _Unseekable:
    """A file that can only be written on, as a pipe."""

    def __init__(self, file: Any) -> None:
        self.write = file.write
        self.flush = file.flush


def run(command: list[str], source: Path, home: Path, **more: Any) -> None:
    """Run a program in the folder that is packed; it must succeed."""
    done = subprocess.run(  # noqa: S603 - a program that was looked for
        command,
        cwd=source,
        env=environment(home, LC_ALL="C.UTF-8", GOTOOLCHAIN="local", GOFLAGS="", GO111MODULE="off"),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=50,
        check=False,
        **{"stdout": subprocess.PIPE, **more},
    )
    assert done.returncode == 0, (done.stderr, done.stdout)


def by_zipfile(
    source: Path, target: Path, _: Path, method: int = 0, *, zip64: bool = False, streamed: bool = False
) -> None:
    """Let Python write it."""
    with target.open("wb") as file, zipfile.ZipFile(_Unseekable(file) if streamed else file, "w", method) as archive:
        for path in sorted(source.rglob("*")):
            name = path.relative_to(source).as_posix()
            if path.is_dir():
                archive.write(path, name)
                continue
            member = zipfile.ZipInfo.from_file(path, name)
            member.compress_type = method
            with archive.open(member, "w", force_zip64=zip64) as into:
                into.write(path.read_bytes())


def by_program(source: Path, target: Path, home: Path, name: str, *arguments: str) -> None:
    """Let a program write it; TARGET in its arguments stands for the file."""
    run([program(name), *(str(target) if word == "TARGET" else word for word in arguments)], source, home)


def by_output(source: Path, target: Path, home: Path, name: str, *arguments: str) -> None:
    """Let a program write it to a pipe, where it cannot go back."""
    command = [program(name), *arguments]
    with (
        target.open("wb") as file,
        subprocess.Popen([program("cat")], stdin=subprocess.PIPE, stdout=file) as cat,  # noqa: S603 - as above
    ):
        run(command, source, home, stdout=cat.stdin)


def by_go(source: Path, target: Path, home: Path, method: str) -> None:
    """Let Go's archive/zip write it."""
    go = program("go")
    (home / "main.go").write_text(GO, encoding="utf-8")
    run([go, "run", str(home / "main.go"), str(source), str(target), method], source, home)


def by_archiver(source: Path, target: Path, home: Path, level: str, zip64: str = "") -> None:
    """Let the official uploader's library write it; INTEROP_ARCHIVER is its folder in a ``node_modules``."""
    node = program("node")
    library = package("archiver")
    (home / "make.cjs").write_text(ARCHIVER, encoding="utf-8")
    run([node, str(home / "make.cjs"), str(library.resolve()), str(source), str(target), level, zip64], source, home)


ZIP = ("zip", "-q", "-r")
SEVEN = ("7z", "a", "-tzip", "-bd", "-y")
BSDTAR = ("bsdtar", "--format", "zip")

MAKERS = {
    "zipfile-stored": Maker(by_zipfile),
    "zipfile-deflate": Maker(partial(by_zipfile, method=zipfile.ZIP_DEFLATED)),
    "zipfile-bzip2": Maker(partial(by_zipfile, method=zipfile.ZIP_BZIP2)),
    "zipfile-lzma": Maker(partial(by_zipfile, method=zipfile.ZIP_LZMA)),
    "zipfile-zip64": Maker(partial(by_zipfile, method=zipfile.ZIP_DEFLATED, zip64=True)),
    "zipfile-streamed": Maker(partial(by_zipfile, method=zipfile.ZIP_DEFLATED, streamed=True)),
    "zipfile-streamed-stored": Maker(partial(by_zipfile, streamed=True)),
    "zipfile-streamed-zip64": Maker(partial(by_zipfile, method=zipfile.ZIP_DEFLATED, streamed=True, zip64=True)),
    "zip": Maker(lambda *args: by_program(*args, *ZIP, "TARGET", ".")),
    "zip-stored": Maker(lambda *args: by_program(*args, *ZIP, "-0", "TARGET", ".")),
    "zip-bzip2": Maker(lambda *args: by_program(*args, *ZIP, "-Z", "bzip2", "TARGET", ".")),
    "zip-descriptors": Maker(lambda *args: by_program(*args, *ZIP, "-fd", "TARGET", ".")),
    "zip-zip64": Maker(lambda *args: by_program(*args, *ZIP, "-fz", "TARGET", ".")),
    "zip-streamed": Maker(lambda *args: by_output(*args, *ZIP, "-", ".")),
    "bsdtar": Maker(lambda *args: by_program(*args, *BSDTAR, "-cf", "TARGET", ".")),
    "bsdtar-stored": Maker(
        lambda *args: by_program(*args, *BSDTAR, "--options", "zip:compression=store", "-cf", "TARGET", ".")
    ),
    "7z": Maker(lambda *args: by_program(*args, *SEVEN, "TARGET", ".")),
    "7z-stored": Maker(lambda *args: by_program(*args, *SEVEN, "-mx=0", "TARGET", ".")),
    "7z-lzma": Maker(lambda *args: by_program(*args, *SEVEN, "-mm=LZMA", "TARGET", ".")),
    "jar": Maker(lambda *args: by_program(*args, "jar", "cMf", "TARGET", "."), modes=False),
    "jar-stored": Maker(lambda *args: by_program(*args, "jar", "cM0f", "TARGET", "."), modes=False),
    "go": Maker(partial(by_go, method="deflate")),
    "go-stored": Maker(partial(by_go, method="store")),
    "archiver-0": Maker(partial(by_archiver, level="0"), modes=False, folders=False),
    "archiver-6": Maker(partial(by_archiver, level="6"), modes=False, folders=False),
    "archiver-zip64": Maker(partial(by_archiver, level="6", zip64="zip64"), modes=False, folders=False),
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the folder that is packed."""
    folder = tmp_path_factory.mktemp("makers") / "source"
    for name in (*FOLDERS, ""):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o755 if name in EXECUTABLE else 0o644)
    return folder


def compare(found: Path, maker: Maker) -> None:
    """Compare a folder with what was packed."""
    files = {path.relative_to(found).as_posix(): path for path in found.rglob("*") if path.is_file()}
    folders = {path.relative_to(found).as_posix() for path in found.rglob("*") if path.is_dir()}
    wanted = FILES | ({} if maker.folders else dict.fromkeys(EMPTY_FOLDERS, b""))
    assert sorted(files) == sorted(wanted)
    assert folders == (FOLDERS if maker.folders else FOLDERS - EMPTY_FOLDERS)
    assert [name for name in files if files[name].read_bytes() != wanted[name]] == []
    executable = {name for name, path in files.items() if path.stat().st_mode & 0o111}
    assert executable == (EXECUTABLE if maker.modes else set())


def made_by(name: str) -> list[pytest.MarkDecorator]:
    """Return the mark of the program that a maker's name begins with; zipfile is Python's own."""
    program_name = name.partition("-")[0]
    return [] if program_name == "zipfile" else [pytest.mark.counterpart(program_name)]


@pytest.mark.parametrize("name", [pytest.param(name, marks=made_by(name)) for name in MAKERS])
async def test_what_others_pack(source: Path, tmp_path: Path, name: str):
    """Unpacked from a file, downloaded and unpacked while it arrives, and read where it is, it is what went in."""
    maker = MAKERS[name]
    target = tmp_path / "made.zip"
    maker.make(source, target, tmp_path)
    extract(target, tmp_path / "local")
    compare(tmp_path / "local", maker)
    async with FakeGitHub() as github, ArtifactsClient("token", base_url=github.base_url) as client:
        artifact_id = github.add_artifact(github.add_run(REPO), "docs", archive=target.read_bytes())
        artifact = await client.get_artifact(REPO, artifact_id)
        result = await client.download(artifact, tmp_path / "remote", extract=True)
        compare(result.path, maker)
        async with client.open_archive(artifact) as archive:
            by_path = {member.path: member.name for member in archive.directory.files}
            assert {path: await archive.read(by_path[path]) for path in FILES} == FILES
            await archive.extract(by_path.values(), tmp_path / "chosen")
    assert {path: (tmp_path / "chosen" / path).read_bytes() for path in FILES} == FILES
