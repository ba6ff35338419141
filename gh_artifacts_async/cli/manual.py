"""What ``--help`` says: plain data, since the parser takes longer to load than all of aiohttp.

A test holds it and the parser together.
"""

from __future__ import annotations

from typing import NamedTuple

NAME = "gh-artifacts"
ABOUT = "GitHub Actions artifacts: list them, look into them, and download them verified and resumable."
HELP_FLAGS = ("-h", "--help")
VERSION_FLAG = "--version"


class Option(NamedTuple):
    """One option.

    Attributes:
        names: the long name first.
        value: what its value is called; empty for a flag.
        says: one sentence.
        default: as it is shown; empty for none.
    """

    names: tuple[str, ...]
    value: str
    says: str
    default: str = ""


class Command(NamedTuple):
    """One command.

    Attributes:
        brief: one line for the list of commands.
        usage: what follows the program's name; one line a form.
        about: paragraphs.
        options: its own ones.
        examples: what follows the program's name.
    """

    brief: str
    usage: tuple[str, ...]
    about: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    examples: tuple[str, ...] = ()


GLOBAL = (
    Option(("--api-url",), "URL", "GitHub's REST API, or just its HOST.", "GITHUB_API_URL, GH_HOST, or github.com"),
    Option(
        ("--token-from",),
        "env",
        "Where the token comes from; env is GH_TOKEN or GITHUB_TOKEN for github.com, GH_ENTERPRISE_TOKEN for others.",
        "env",
    ),
    Option(("--ca-file",), "PEM", "Certificates to trust besides the system's."),
    Option(("--quiet",), "", "Say nothing but results and errors."),
    Option(("--verbose",), "", "Tell what happens on the way, retries included."),
    Option(("--no-progress",), "", "Show no progress bars."),
)

_REPO = Option(("--repo", "-R"), "OWNER/REPO", "In place of the argument.", "GH_REPO, GITHUB_REPOSITORY, git's origin")
_JSON = Option(("--json",), "", "Print JSON.")

COMMANDS: dict[str, Command] = {
    "list": Command(
        brief="List a repository's artifacts, newest first.",
        usage=("list [OWNER/REPO] [OPTIONS]",),
        about=("With --json, the fields are named as GitHub's API names them.",),
        options=(
            _REPO,
            Option(("--run",), "ID", "Only the artifacts of this workflow run."),
            Option(("--name",), "NAME", "Only artifacts of exactly this name."),
            Option(("--limit",), "N", "Stop after so many.", "all"),
            _JSON,
        ),
        examples=("list octo-org/octo-docs --limit 20", "list octo-org/octo-docs --name coverage --json"),
    ),
    "show": Command(
        brief="Show everything about one artifact.",
        usage=("show [OWNER/REPO] ID [OPTIONS]",),
        options=(_REPO, _JSON),
        examples=("show octo-org/octo-docs 11",),
    ),
    "download": Command(
        brief="Download artifacts: resumed where they break, verified before they appear.",
        usage=(
            "download [OWNER/REPO] ID... [OPTIONS]",
            "download [OWNER/REPO] [--run ID] [--name NAME]... [--pattern GLOB]... [OPTIONS]",
            "download [OWNER/REPO] --all [OPTIONS]",
        ),
        about=(
            "Running the same command again downloads only what is missing, and goes on with what was interrupted.",
            "Each artifact becomes DIR/NAME.zip, or DIR/NAME-ID.zip where two of them share a name.",
            "With --extract a zip becomes the folder DIR/NAME/, which appears when all of it is unpacked and verified.",
            "A file that was uploaded as it is, and not as a zip, is never unpacked.",
        ),
        options=(
            _REPO,
            Option(("--all",), "", "All artifacts that have not expired."),
            Option(("--run",), "ID", "Only the artifacts of this workflow run."),
            Option(("--name",), "NAME", "Artifacts of exactly this name; may be repeated."),
            Option(("--pattern",), "GLOB", "Artifacts whose name fits, like 'wheel-*'; may be repeated."),
            Option(("--dir",), "DIR", "The folder they go to; it is made if it is not there.", "."),
            Option(("--extract",), "", "Unpack zips; one that is damaged, or could write elsewhere, is refused whole."),
            Option(("--jobs",), "N", "Downloads at once.", "8"),
            Option(
                ("--if-exists",),
                "error|skip|replace",
                "If something is in the way: fail; skip it where it is known to be the same, else fail; or replace it.",
                "skip",
            ),
            Option(("--dry-run",), "", "Only say what would be downloaded, and how much that is."),
            _JSON,
        ),
        examples=(
            "download octo-org/octo-docs 11 12 --dir artifacts",
            "download octo-org/octo-docs --run 9000000001 --pattern 'wheel-*'",
            "download octo-org/octo-docs --name coverage --extract --dir out",
        ),
    ),
    "ls": Command(
        brief="List what is in an artifact's zip, without downloading it.",
        usage=("ls [OWNER/REPO] ID [OPTIONS]",),
        about=(
            "Only the end of the zip is fetched.",
            "Where storage gives no ranges, as on old GitHub Enterprise Servers, all of it has to be.",
        ),
        options=(_REPO, _JSON),
        examples=("ls octo-org/octo-docs 11",),
    ),
    "cat": Command(
        brief="Write one file of an artifact's zip to standard output, without downloading the zip.",
        usage=("cat [OWNER/REPO] ID MEMBER [OPTIONS]",),
        about=(
            "MEMBER is the file's name as ls shows it. Its bytes are written as they are, once they were checked.",
            "A name that begins with a dash is given after two of them: cat ID -- -name.",
        ),
        options=(
            _REPO,
            Option(("--max-bytes",), "N", "Refuse a file that unpacks to more; it is held in memory.", "67108864"),
        ),
        examples=("cat octo-org/octo-docs 11 log.txt | less",),
    ),
    "demo": Command(
        brief="Show all of it against an embedded fake GitHub: no network, no token.",
        usage=("demo [OPTIONS]",),
        about=(
            "Lists a repository over several pages and downloads 50 of its artifacts, eight at once.",
            "On the way a connection breaks and a signed URL expires; every digest is checked.",
        ),
        options=(
            Option(("--artifacts",), "N", "How many artifacts the fake GitHub has.", "250"),
            Option(("--dir",), "DIR", "The folder for what is downloaded.", "artifacts-demo"),
        ),
    ),
}


def asked_for(argv: list[str]) -> tuple[str | None] | None:
    """Return whose help is asked for: a command's, or the program's own (None); None outside where none is.

    Args:
        argv: the arguments after the program's name.
    """
    words = argv[: argv.index("--")] if "--" in argv else argv
    command = _command(words)
    if not argv or command == "help":
        return (next((word for word in words if word in COMMANDS), None),)
    if not any(flag in words for flag in HELP_FLAGS) or (command is not None and command not in COMMANDS):
        return None
    return (command,)


def asked_for_version(argv: list[str]) -> bool:
    """Return whether the program's version is asked for."""
    return VERSION_FLAG in argv and _command(argv) is None


def _command(words: list[str]) -> str | None:
    """Return the first word that is neither an option nor a global option's value."""
    takes_value = {name for option in GLOBAL for name in option.names if option.value}
    previous = ""
    for word in words:
        if not word.startswith("-") and previous not in takes_value:
            return word
        previous = word
    return None
