"""What ``--help`` says: plain data, since the parser takes longer to load than all of aiohttp.

A test checks that it and the parser agree.
"""

from __future__ import annotations

from typing import NamedTuple

NAME = "gh-artifacts"
ABOUT = "List, inspect, download and delete GitHub Actions artifacts; downloads are verified and resumable."
HELP_FLAGS = ("-h", "--help")
VERSION_FLAG = "--version"
SHELLS = ("bash", "zsh", "fish")


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
    Option(
        ("--api-url",), "URL", "GitHub's REST API, or just the host name.", "GITHUB_API_URL, GH_HOST, or github.com"
    ),
    Option(
        ("--token-from",),
        "env|gh",
        "Source of the token. env: GH_TOKEN or GITHUB_TOKEN for github.com, GH_ENTERPRISE_TOKEN for other hosts. "
        "gh: the login that GitHub's own command line has stored.",
        "env, else gh",
    ),
    Option(("--ca-file",), "PEM", "Also trust the certificates in this file."),
    Option(("--quiet",), "", "Print only results and errors."),
    Option(("--verbose",), "", "Also print what happens along the way: each request, without secrets, and each retry."),
    Option(("--no-progress",), "", "Show no progress bars."),
    Option(("--timeout",), "SECONDS", "Stop cleanly if it takes longer; out of time is exit code 6."),
)

_REPO = Option(
    ("--repo", "-R"),
    "OWNER/REPO",
    "The repository, instead of the argument.",
    "GH_REPO, GITHUB_REPOSITORY, git's origin",
)
_JSON = Option(("--json",), "", "Print JSON.")
_JQ = Option(("--jq", "-q"), "EXPR", "Print what this jq expression makes of the JSON; text is printed without quotes.")

_SELECTORS = (
    Option(("--run", "-r"), "ID", "Artifacts of this workflow run, whatever its conclusion."),
    Option(("--name", "-n"), "NAME", "Artifacts with exactly this name; can be repeated."),
    Option(("--pattern", "-p"), "GLOB", "Artifacts whose name matches, such as 'wheel-*'; can be repeated."),
    Option(("--workflow", "-w"), "WORKFLOW", "From the newest run of this workflow: its file, name or ID."),
    Option(("--branch", "-b"), "BRANCH", "From the newest run of this branch."),
    Option(("--event", "-e"), "EVENT", "From the newest run that this event triggered, such as push."),
    Option(("--pr",), "N", "From the newest run of this pull request's head commit."),
    Option(("--commit", "-c"), "SHA", "From the newest run of this commit."),
    Option(
        ("--conclusion",),
        "STATUS",
        "The run's conclusion or status; any for all. It counts where an option picks the run.",
        "success",
    ),
    Option(("--all-runs",), "", "From all runs that match, not just the newest."),
    Option(("--all-attempts",), "", "From all attempts of a run, also if artifacts have the same name."),
    Option(("--allow-forks",), "", "From runs of forks too, whose content strangers may have written."),
    Option(
        ("--if-none",), "error|warn|ignore", "If nothing matches: exit with 3; print a warning; or do nothing.", "error"
    ),
)

COMMANDS: dict[str, Command] = {
    "list": Command(
        brief="List a repository's artifacts, newest first.",
        usage=("list [OWNER/REPO] [OPTIONS]",),
        about=("With --json, fields have the same names as in GitHub's API.",),
        options=(
            _REPO,
            Option(("--run", "-r"), "ID", "Only the artifacts of this workflow run."),
            Option(("--name", "-n"), "NAME", "Only artifacts with exactly this name."),
            Option(("--limit", "-L"), "N|all", "Number of artifacts to list.", "30"),
            _JSON,
            _JQ,
        ),
        examples=(
            "list octo-org/octo-docs --limit all",
            "list octo-org/octo-docs --name coverage --jq '.[].workflow_run.head_sha'",
        ),
    ),
    "runs": Command(
        brief="List a repository's workflow runs, newest first.",
        usage=("runs [OWNER/REPO] [OPTIONS]",),
        about=("A run of a fork, whose artifacts strangers may have written, is marked as such.",),
        options=(
            _REPO,
            Option(("--workflow", "-w"), "WORKFLOW", "Only runs of this workflow: its file name or ID."),
            Option(("--branch", "-b"), "BRANCH", "Only runs of this branch."),
            Option(("--event", "-e"), "EVENT", "Only runs that this event triggered, such as push."),
            Option(("--status", "-s"), "STATUS", "Only runs with this status or conclusion, such as success."),
            Option(("--limit", "-L"), "N|all", "Number of runs to list.", "20"),
            _JSON,
            _JQ,
        ),
        examples=("runs octo-org/octo-docs --branch main --status success --limit 5",),
    ),
    "show": Command(
        brief="Show the details of one artifact.",
        usage=("show [OWNER/REPO] ID [OPTIONS]",),
        options=(_REPO, _JSON, _JQ),
        examples=("show octo-org/octo-docs 11",),
    ),
    "download": Command(
        brief="Download artifacts: resumed where they broke, verified before they appear.",
        usage=(
            "download [OWNER/REPO] ID... [OPTIONS]",
            "download [OWNER/REPO] [--run ID] [--name NAME]... [--pattern GLOB]... [OPTIONS]",
            "download [OWNER/REPO] [--workflow WORKFLOW] [--branch BRANCH] [--pr N]... [OPTIONS]",
            "download [OWNER/REPO] --all [OPTIONS]",
        ),
        about=(
            "Running the same command again downloads only what is missing, and resumes what was interrupted.",
            "--name and --pattern alone select the newest artifact of each name.",
            "With --workflow, --branch, --event, --pr or --commit, the newest successful run with a match is used.",
            "Each artifact is saved as DIR/NAME.zip; with --all, --all-runs or --all-attempts, as DIR/NAME-ID.zip.",
            "With --extract, a zip becomes the folder DIR/NAME/, which appears once it is all unpacked and verified.",
            "A file that was uploaded without being zipped keeps its name and is never unpacked.",
        ),
        options=(
            _REPO,
            Option(("--all",), "", "All artifacts that have not expired."),
            *_SELECTORS,
            Option(("--dir", "-D"), "DIR", "Folder to save to; created, with parents, if missing.", "."),
            Option(
                ("--layout",),
                "name|id|TEMPLATE",
                "How files are named: NAME, NAME-ID, or a template such as '{branch}/{run_id}/{name}'.",
            ),
            Option(("--extract",), "", "Unpack zips; a damaged or unsafe one is rejected as a whole."),
            Option(("--jobs",), "N", "Number of parallel downloads.", "8"),
            Option(
                ("--if-exists",),
                "error|skip|replace",
                "If the path exists: fail; skip it if it is the same artifact, else fail; or replace it.",
                "skip",
            ),
            Option(
                ("--symlinks",),
                "reject|skip",
                "With --extract: refuse a zip with symbolic links, or skip them.",
                "reject",
            ),
            Option(
                ("--max-ratio",), "N", "With --extract: refuse a zip that unpacks to more than N times its size.", "250"
            ),
            Option(("--merge",), "", "Unpack all of them into DIR itself, which appears as a whole or not at all."),
            Option(
                ("--conflicts",),
                "error|identical|newest",
                "With --merge, if two artifacts have a file at one path: fail; allow equal files; or take the newest.",
                "error",
            ),
            Option(("--dry-run",), "", "Only show what would be downloaded, and how much that is."),
            _JSON,
            _JQ,
        ),
        examples=(
            "download octo-org/octo-docs 11 12 --dir artifacts",
            "download octo-org/octo-docs --run 9000000001 --pattern 'wheel-*'",
            "download octo-org/octo-docs --workflow ci.yml --branch main --name coverage",
            "download octo-org/octo-docs --name coverage --extract --dir out",
            "download octo-org/octo-docs --run 9000000001 --pattern 'wheel-*' --merge --dir dist",
        ),
    ),
    "ls": Command(
        brief="List the files in an artifact's zip without downloading it.",
        usage=("ls [OWNER/REPO] ID [OPTIONS]", "ls [OWNER/REPO] --name NAME [--branch BRANCH]... [OPTIONS]"),
        about=(
            "The artifact is given by its ID, or by options that select one, as for download.",
            "Only the end of the zip is fetched.",
            "Where storage does not support ranges, as on old GitHub Enterprise Servers, the whole zip is.",
        ),
        options=(_REPO, *_SELECTORS, _JSON, _JQ),
        examples=("ls octo-org/octo-docs 11", "ls octo-org/octo-docs --workflow ci.yml --branch main --name coverage"),
    ),
    "cat": Command(
        brief="Print one file from an artifact's zip without downloading the zip.",
        usage=("cat [OWNER/REPO] ID MEMBER [OPTIONS]", "cat [OWNER/REPO] --name NAME [--branch BRANCH]... MEMBER"),
        about=(
            "MEMBER is the file's name as shown by ls.",
            "The artifact is given by its ID, or by options that select one, as for download.",
            "The file is written to standard output, byte for byte, once its size and checksum are verified.",
            "Put -- before a name that begins with a dash: cat ID -- -name.",
        ),
        options=(
            _REPO,
            *_SELECTORS,
            Option(
                ("--max-bytes",), "N", "Refuse a file that unpacks to more; the file is held in memory.", "67108864"
            ),
        ),
        examples=(
            "cat octo-org/octo-docs 11 docs/log.txt | less",
            "cat octo-org/octo-docs --workflow ci.yml --branch main --name coverage report.json",
        ),
    ),
    "wait": Command(
        brief="Wait until artifacts are there, and print their IDs and names.",
        usage=("wait [OWNER/REPO] NAME... [OPTIONS]",),
        about=(
            "An artifact that exists already ends the wait at once; with --run, only one of that run does.",
            "With --run, the exit code is 1 once the run has failed, 3 if it has succeeded without the artifacts.",
            "Waiting costs little of the rate limit: what has not changed is not sent again.",
        ),
        options=(
            _REPO,
            Option(("--run", "-r"), "ID", "Only artifacts of this workflow run."),
            Option(("--timeout",), "SECONDS", "How long to wait; out of time is exit code 3.", "600"),
            Option(("--interval", "-i"), "SECONDS", "How long to wait from one look to the next.", "15"),
            Option(("--no-fail-fast",), "", "Go on if the run fails: a re-run may bring the artifacts."),
            _JSON,
            _JQ,
        ),
        examples=(
            "wait octo-org/octo-docs wheels --run 9000000001 --timeout 1800",
            "wait octo-org/octo-docs docs coverage",
        ),
    ),
    "watch": Command(
        brief="Print each new artifact as it comes, until Ctrl-C.",
        usage=("watch [OWNER/REPO] [OPTIONS]",),
        about=(
            "What is there at the start is not printed, unless --since says so.",
            "With --json, each artifact is an object on a line; --since takes its cursor, to continue after it.",
        ),
        options=(
            _REPO,
            Option(("--name", "-n"), "NAME", "Only artifacts with exactly this name."),
            Option(("--interval", "-i"), "SECONDS", "How long to wait from one look to the next.", "60"),
            Option(
                ("--since",), "TIME|CURSOR", "Also what was created since this time (UTC), or came after this cursor."
            ),
            _JSON,
            _JQ,
        ),
        examples=("watch octo-org/octo-docs --name nightly --json", "watch octo-org/octo-docs --since 2026-11-01"),
    ),
    "mirror": Command(
        brief="Keep a folder equal to a repository's artifacts: run again, it fetches only what is new.",
        usage=(
            "mirror [OWNER/REPO] DIR [OPTIONS]",
            "mirror [OWNER/REPO] DIR [--name NAME]... [--branch BRANCH]...",
            "mirror OWNER|OWNER/REPO DIR|URL --cluster ADDRESS [OPTIONS]",
        ),
        about=(
            "Without selectors, all artifacts that have not expired; with them, those that download would select.",
            "What has expired on GitHub stays in the folder, and so does what was deleted, without --prune.",
            "Files of the same content are downloaded once and are hard links: an edit in place changes them all.",
            "A run that was interrupted, or killed, is continued by the next.",
            "With --cluster, one repository or all of OWNER, each below OWNER/REPO in the folder or bucket.",
            "The workers need the token in their environment, and the folder under the same path.",
        ),
        options=(
            _REPO,
            *_SELECTORS,
            Option(("--prune",), "", "Remove what is no longer selected, unless it has expired or was changed here."),
            Option(("--verify",), "", "Read every file that is there, and download again what differs."),
            Option(
                ("--layout",),
                "id|name|TEMPLATE",
                "How new files are named: NAME-ID, NAME, or a template such as '{branch}/{run_id}/{name}'.",
                "id",
            ),
            Option(("--extract",), "", "Unpack zips; folders are not linked."),
            Option(("--no-link",), "", "Copy files of the same content rather than link them."),
            Option(("--jobs",), "N", "Number of parallel downloads; with --cluster, of each repository.", "8"),
            Option(
                ("--cluster",),
                "ADDRESS",
                "Have the workers of the Dask cluster at this address do it, such as tls://scheduler:8786.",
            ),
            _JSON,
            _JQ,
        ),
        examples=(
            "mirror octo-org/octo-docs backup",
            "mirror octo-org/octo-docs nightly --workflow ci.yml --branch main --layout name --prune",
        ),
    ),
    "delete": Command(
        brief="Delete artifacts.",
        usage=("delete [OWNER/REPO] ID... [OPTIONS]",),
        about=(
            "Names and sizes are shown first, and you are asked. What is deleted cannot be restored.",
            "Deletions are sent a second apart, as GitHub asks for.",
        ),
        options=(_REPO, Option(("--yes", "-y"), "", "Do not ask.")),
        examples=("delete octo-org/octo-docs 11 12",),
    ),
    "prune": Command(
        brief="Delete what is old, or more than enough; without --apply, only show it.",
        usage=("prune [OWNER/REPO] [--older-than TIME] [--keep-latest N] [--max-total SIZE] [OPTIONS]",),
        about=(
            "What is to be deleted is shown, and why; nothing is deleted without --apply.",
            "An artifact is deleted if --older-than, --keep-latest and --only-expired all allow it, as far as given.",
            "With --max-total, the oldest of what is left go too, until the repository is small enough.",
            "What is protected, or among the latest to keep, is never deleted.",
        ),
        options=(
            _REPO,
            Option(("--older-than",), "TIME", "Delete what was created longer ago, such as 30d, 12h or 2w."),
            Option(("--keep-latest",), "N", "Keep the N newest artifacts of each name and branch."),
            Option(("--max-total",), "SIZE", "Keep no more than this in the repository, such as 400MB or 1GiB."),
            Option(("--only-expired",), "", "Delete only what has expired; it takes up no storage, but is listed."),
            Option(("--name", "-n"), "GLOB", "Delete only artifacts whose name matches; can be repeated."),
            Option(("--except",), "GLOB", "Keep artifacts whose name matches; can be repeated."),
            Option(("--protect-branch",), "GLOB", "Keep artifacts of branches that match; can be repeated."),
            Option(("--protect-tag",), "GLOB", "Keep artifacts of tags that match; can be repeated."),
            Option(("--apply",), "", "Delete them."),
            _JSON,
            _JQ,
        ),
        examples=(
            "prune octo-org/octo-docs --older-than 30d --protect-branch main",
            "prune octo-org/octo-docs --keep-latest 3 --name 'wheel-*' --apply",
        ),
    ),
    "usage": Command(
        brief="Show what takes up a repository's storage: by name, age and branch.",
        usage=("usage [OWNER/REPO] [OPTIONS]",),
        about=("Expired artifacts take up none.",),
        options=(_REPO, _JSON, _JQ),
        examples=("usage octo-org/octo-docs",),
    ),
    "demo": Command(
        brief="Try everything against an embedded fake GitHub: no network, no token.",
        usage=("demo [OPTIONS]",),
        about=(
            "Lists a repository over several pages and downloads up to 50 of its artifacts, eight at a time.",
            "On purpose, a connection breaks and a signed URL expires; every digest is verified.",
        ),
        options=(
            Option(("--artifacts",), "N", "Number of artifacts on the fake GitHub.", "250"),
            Option(("--dir", "-D"), "DIR", "Folder to save to.", "artifacts-demo"),
        ),
    ),
    "completion": Command(
        brief="Print a script with which a shell completes commands and options.",
        usage=("completion bash|zsh|fish",),
        about=("Put it where the shell looks for completions, or source it when the shell starts.",),
        examples=(
            "completion bash > ~/.local/share/bash-completion/completions/gh-artifacts",
            'completion zsh > "${fpath[1]}/_gh-artifacts"',
            "completion fish > ~/.config/fish/completions/gh-artifacts.fish",
        ),
    ),
}
