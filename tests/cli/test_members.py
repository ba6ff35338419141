"""``ls`` and ``cat``."""

from __future__ import annotations

import pytest

from gh_artifacts_async.cli import main
from tests.cli.conftest import REPO
from tests.kits.archives import FOLDER, LINK, Entry, build
from tests.kits.zips import HOSTILE, noise

pytestmark = pytest.mark.realtime

TEXT = b"all is well\n" * 500
BINARY = bytes(range(256)) * 4_000
FILES = {"docs/log.txt": TEXT, "data.bin": BINARY, "big.bin": noise(300_000)}


@pytest.fixture
def number(server) -> int:
    """An artifact with some files."""
    return server.artifact(server.run(), "docs", files=FILES)


class TestLs:
    """gh-artifacts ls."""

    def test_a_line_a_member_and_a_total(self, server, cli):
        """Size, packed size, time and name; folders and links are told apart."""
        archive = build(
            Entry("docs/", attributes=FOLDER),
            Entry("docs/log.txt", TEXT, method=8),
            Entry("link", b"docs/log.txt", attributes=LINK),
            Entry("when?", b"x", date=0),
        )
        ran = cli("ls", REPO, server.artifact(server.run(), "docs", archive=archive))
        assert ran.code == 0
        assert ran.out.splitlines() == [
            "  SIZE  PACKED  MODIFIED (UTC)    NAME",
            "     -       -  2024-01-01 00:00  docs/",
            "6.0 kB    44 B  2024-01-01 00:00  docs/log.txt",
            "   1 B     1 B  -                 when?",
            "  link       -  2024-01-01 00:00  link",
            "6.0 kB    45 B                    2 files, 1 folder, 1 link",
        ]

    @pytest.mark.github_com("ranges")
    def test_only_the_end_is_fetched(self, server, cli, number):
        """What it took goes to standard error, and not with --quiet."""
        ran = cli("ls", REPO, number)
        assert [record.status for record in server.github.requests_to("storage")] == [206]
        size = len(server.github.content(number))
        assert ran.err == f"fetched 65.6 kB of {size / 1000:.0f} kB in 1 request\n"
        assert cli("ls", REPO, number, "--quiet").err == ""

    def test_a_folder_of_the_official_uploader_is_shown_as_one(self, server, cli):
        """It is an empty file without a slash, and gets one."""
        archive = build(Entry("docs"), Entry("docs/a", b"x"))
        ran = cli("ls", REPO, server.artifact(server.run(), "docs", archive=archive))
        assert " docs/\n" in ran.out
        assert ran.out.endswith("1 file, 1 folder\n")

    def test_an_empty_archive(self, server, cli):
        """No member is no error."""
        ran = cli("ls", REPO, server.artifact(server.run(), "docs", archive=build()))
        assert (ran.code, ran.out.splitlines()[-1].split()) == (0, ["0", "B", "0", "B", "0", "files"])

    @pytest.mark.github_com("ranges")
    def test_as_json(self, server, cli):
        """One document with every member, exact sizes and what it took."""
        archive = build(
            Entry("d/", attributes=FOLDER),
            Entry("d/run.sh", b"x" * 90, method=8, attributes=0o100755 << 16),
            Entry("link", b"d/run.sh", attributes=LINK),
            Entry("when?", date=0),
        )
        number = server.artifact(server.run(), "docs", archive=archive)
        document = cli("ls", REPO, number, "--json").document
        members = document.pop("members")
        assert document == {
            "id": number,
            "name": "docs",
            "repository": REPO,
            "archive_size": len(archive),
            "size": 90,
            "packed_size": members[1]["packed_size"],
            "bytes_fetched": len(archive),
            "requests": 1,
            "ranged": True,
        }
        assert members[1] == {
            "name": "d/run.sh",
            "type": "file",
            "size": 90,
            "packed_size": members[1]["packed_size"],
            "modified": "2024-01-01T00:00:00Z",
            "executable": True,
        }
        assert [member["type"] for member in members] == ["folder", "file", "file", "link"]
        assert members[2]["modified"] is None

    def test_hostile_names_are_shown_not_obeyed(self, server, cli):
        """What an archive may hold, a terminal must not obey; markup is text."""
        name = "[red]x[/red] \u200f \u00e9"
        number = server.artifact(server.run(), "docs", archive=build(Entry(name.encode(), b"x", flags=1 << 11)))
        ran = cli("ls", REPO, number)
        assert ran.out.splitlines()[1].endswith("  [red]x[/red] \\u200f \u00e9")
        ran = cli("ls", REPO, number, "--json")
        assert ran.out.isascii()
        assert ran.document["members"][0]["name"] == name

    def test_where_storage_gives_no_ranges_the_whole_is_fetched(self, server, cli, number):
        """It works, and says what it cost."""
        server.github.faults.ignore_range(number, times=None)
        ran = cli("ls", REPO, number)
        assert ran.code == 0
        assert "docs/log.txt" in ran.out
        assert "since its storage does not support ranges" in ran.err
        assert cli("ls", REPO, number, "--json").document["ranged"] is False

    @pytest.mark.usefixtures("eager")
    def test_on_a_terminal(self, server, cli, terminal, number):
        """The bar says why it takes long; standard output has the lines alone."""
        server.github.faults.ignore_range(number, times=None)
        ran = cli("ls", REPO, number)
        assert "\x1b" not in ran.out
        assert "storage does not support ranges, fetching the whole archive: " in terminal.getvalue()

    def test_a_bomb_is_listed(self, server, cli):
        """Nothing is unpacked, so that its size harms nobody."""
        bomb = build(Entry("bomb", b"x" * 20, method=8, size=2**32 - 2))
        ran = cli("ls", REPO, server.artifact(server.run(), "bomb", archive=bomb))
        assert (ran.code, "4.3 GB" in ran.out) == (0, True)

    def test_the_repository_may_be_named_otherwise(self, cli, monkeypatch, number):
        """By -R, and by GH_REPO."""
        assert "docs/log.txt" in cli("ls", number, "-R", REPO).out
        monkeypatch.setenv("GH_REPO", REPO)
        assert "docs/log.txt" in cli("ls", number).out
        assert cli("cat", number, "docs/log.txt").out.encode() == TEXT

    @pytest.mark.parametrize("name", ["traversal", "duplicate", "gap", "encrypted"])
    def test_an_archive_that_is_refused(self, server, cli, name):
        """7: one sentence, and no listing."""
        ran = cli("ls", REPO, server.artifact(server.run(), "bad", archive=HOSTILE[name]))
        assert (ran.code, ran.out) == (7, "")
        assert ran.err.startswith("error: ")
        assert ran.err.count("\n") == 1

    def test_a_raw_file_has_no_members(self, server, cli):
        """7: it says what the artifact is."""
        ran = cli("ls", REPO, server.artifact(server.run(), "report", raw=("report.html", b"<p>")))
        assert ran.code == 7
        assert "a single file (text/html), not a zip" in ran.err

    def test_an_expired_one(self, server, cli):
        """3: its bytes are gone."""
        ran = cli("ls", REPO, server.artifact(server.run(), "old", expired=True))
        assert (ran.code, ran.out) == (3, "")
        assert cli("ls", REPO, 7).code == 3

    @pytest.mark.usefixtures("no_waiting")
    def test_storage_in_trouble(self, server, cli, number):
        """6: nothing is kept, and nothing of the kind is promised."""
        server.github.faults.status(number, 503, times=None)
        ran = cli("ls", REPO, number)
        assert ran.code == 6
        assert ran.err.endswith("; try again\n")

    @pytest.mark.github_com("ranges")
    def test_a_full_disk(self, server, cli, monkeypatch):
        """8: where the whole has to be fetched, there may be no space for it."""
        number = server.artifact(server.run(), "docs", size=1_100_000)
        server.github.faults.ignore_range(number, times=None)
        monkeypatch.setattr("gh_artifacts_async.transfer.disk.filesystem.free_bytes", lambda _folder: 10)
        assert cli("ls", REPO, number).code == 8


class TestCat:
    """gh-artifacts cat."""

    @pytest.mark.parametrize("name", FILES)
    def test_the_bytes_as_they_are(self, server, capfdbinary, number, name):
        """Binary-safe, and nothing but the member on either stream; noise takes more bytes packed than unpacked."""
        for options in ([], ["--max-bytes", str(len(FILES[name]))]):
            assert main(["cat", REPO, str(number), name, "--api-url", server.url, *options]) == 0
            assert capfdbinary.readouterr() == (FILES[name], b"")

    def test_verbose_says_what_it_took(self, server, cli, number):
        """Beside the bytes, on standard error."""
        ran = cli("cat", REPO, number, "docs/log.txt", "--verbose")
        assert "fetched " in ran.err
        assert len(server.github.requests_to("storage")) <= 2

    def test_a_name_with_a_dash(self, server, bare_cli):
        """After two dashes anything is a name."""
        number = server.artifact(server.run(), "docs", files={"--quiet": b"x"})
        ran = bare_cli("cat", REPO, "--api-url", server.url, number, "--", "--quiet")
        assert (ran.code, ran.out) == (0, "x")
        assert bare_cli("cat", REPO, number, "--quiet", "--api-url", server.url).code == 2

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("absent", "'absent' is not in artifact "),
            ("docs/", "'docs/' is a folder"),
            ("l\u202e", "'l\\u202e' is not in artifact "),
            ("link", "'link' is a symbolic link"),
        ],
    )
    def test_what_is_no_file_in_it_is_exit_code_3(self, server, cli, name, said):
        """Not found, a folder, or a link; and where to look."""
        archive = build(Entry("docs/", attributes=FOLDER), Entry("link", b"docs", attributes=LINK))
        ran = cli("cat", REPO, server.artifact(server.run(), "docs", archive=archive), name)
        assert (ran.code, ran.out) == (3, "")
        assert said in ran.err
        assert "gh-artifacts ls" in ran.err

    @pytest.mark.parametrize(
        ("files", "said"),
        [
            (
                {"coverage/summary.json": "{}", "log.txt": ""},
                "; did you mean coverage/summary.json? gh-artifacts ls {} lists its 2 files",
            ),
            ({"sumary.json": "{}"}, "; did you mean sumary.json? gh-artifacts ls {} lists its file"),
            ({"a": "", "b": ""}, "; gh-artifacts ls {} lists its 2 files"),
        ],
    )
    def test_what_is_meant_is_named(self, server, cli, files, said):
        """The same name in a folder, or nearly the same; and a command that can be pasted."""
        number = server.artifact(server.run(), "coverage", files=files)
        ran = cli("cat", REPO, "--name", "coverage", "summary.json")
        assert ran.code == 3
        where = f"artifact {number} (coverage)"
        assert ran.err == f"error: 'summary.json' is not in {where}{said.format(f'{REPO} {number}')}\n"

    @pytest.mark.github_com("ranges")
    def test_a_large_one_is_refused_until_it_is_asked_for(self, server, cli, number):
        """7: the sentence has the option that helps, and nothing was fetched of it."""
        ran = cli("cat", REPO, number, "big.bin", "--max-bytes", 1000)
        assert (ran.code, ran.out) == (7, "")
        assert ran.err == "error: 'big.bin' is 300,000 bytes long, and the limit is 1,000; use --max-bytes 300000\n"
        assert server.github.bytes_sent(number) < 100_000
        assert cli("cat", REPO, number, "docs/log.txt", "--max-bytes", len(TEXT)).code == 0

    def test_one_that_is_much_larger_packed_is_refused_too(self, server, cli):
        """7: what it declares to be, unpacked, does not make it small."""
        archive = build(Entry("a", b"x", method=8, packed=noise(200_000)))
        ran = cli("cat", REPO, server.artifact(server.run(), "bad", archive=archive), "a", "--max-bytes", 1000)
        assert (ran.code, ran.out) == (7, "")
        assert "use --max-bytes 200000" in ran.err

    @pytest.mark.parametrize("name", ["crc", "size"])
    def test_damaged_data_is_not_printed(self, server, cli, name):
        """7: bytes are written only once they were checked."""
        ran = cli("cat", REPO, server.artifact(server.run(), "bad", archive=HOSTILE[name]), "a")
        assert (ran.code, ran.out) == (7, "")
        assert 'error: member "a": ' in ran.err

    @pytest.mark.slow
    def test_a_reader_that_leaves_is_no_error(self, server, start, number):
        """`gh-artifacts cat ... | head -c 1` ends quietly."""
        process = start("cat", REPO, number, "big.bin", "--api-url", server.url)
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(20) == 0


class TestLsBySelector:
    """gh-artifacts ls, with the artifact given by options."""

    def test_by_name(self, server, cli):
        """The same options as those of cat."""
        number = server.artifact(server.run(branch="main"), "docs", files=FILES)
        for words in (["--name", "docs"], ["--branch", "main"], ["-p", "d*"]):
            assert cli("ls", REPO, *words, "--json").document["id"] == number, words
        assert "docs/log.txt" in cli("ls", "-R", REPO, "--name", "docs").out
        assert cli("ls", REPO, number, "--name", "docs").code == 2

    def test_none(self, server, cli):
        """As for cat: an error, unless --if-none says otherwise."""
        server.run()
        ran = cli("ls", REPO, "--name", "zz")
        assert (ran.code, ran.out, "no artifacts named 'zz'" in ran.err) == (3, "", True)
        ran = cli("ls", REPO, "--name", "zz", "--if-none", "warn")
        assert (ran.code, ran.out, "warning: no artifacts" in ran.err) == (0, "", True)


class TestCatBySelector:
    """gh-artifacts cat, with the artifact given by options."""

    def test_by_name_run_and_branch(self, server, cli):
        """Whichever options select one artifact; MEMBER may have a slash, and OWNER/REPO come from elsewhere."""
        run = server.run(branch="main", workflow="ci.yml")
        server.artifact(run, "docs", files=FILES)
        server.artifact(server.run(branch="dev"), "other")
        for words in (
            ["--name", "docs"],
            ["--run", run.id],
            ["-b", "main", "--workflow", "ci.yml"],
            ["-p", "d*", "--commit", run.head_sha],
        ):
            ran = cli("cat", REPO, *words, "docs/log.txt")
            assert (ran.code, ran.out) == (0, TEXT.decode()), words
        assert cli("cat", "-R", REPO, "--name", "docs", "docs/log.txt").out == TEXT.decode()

    def test_it_must_be_one_artifact(self, server, cli):
        """Several are a usage error that names them; none is told as for download."""
        run = server.run()
        for name in ("a", "b", "c", "d"):
            server.artifact(run, name)
        ran = cli("cat", REPO, "--run", run.id, "log.txt")
        assert ran.code == 2
        assert "4 artifacts match: d (" in ran.err
        assert "choose one with --name" in ran.err
        ran = cli("cat", REPO, "--name", "zz", "log.txt")
        assert (ran.code, "no artifacts named 'zz'" in ran.err) == (3, True)
        ran = cli("cat", REPO, "--name", "zz", "log.txt", "--if-none", "warn")
        assert (ran.code, ran.out, "warning: no artifacts" in ran.err) == (0, "", True)
        ran = cli("cat", REPO, "--name", "zz", "log.txt", "--if-none", "ignore")
        assert (ran.code, ran.out, ran.err) == (0, "", "")
        ran = cli("cat", REPO, "--name", "a", "absent", "--if-none", "warn")
        assert ran.code == 3

    @pytest.mark.parametrize("words", [["--name", "a"], [REPO, "--name", "a", "7", "log.txt"]])
    def test_too_few_or_too_many_words(self, cli, words):
        """OWNER/REPO and MEMBER are all there is beside the options."""
        ran = cli("cat", *words)
        assert ran.code == 2
        assert "expected OWNER/REPO and a MEMBER" in ran.err
