"""Which errors the tests of a run ended with, and how often: transformers' statistics, made with the SDK.

python error_statistics.py huggingface/transformers RUN_ID
"""

import asyncio
import sys
from collections import Counter, defaultdict

from gh_artifacts_async import ArtifactsClient


async def main(argv: list[str]) -> int:
    """Print the 30 most common errors, and for each the test and the job's page where it is seen first."""
    repo, run, failed = argv[0], int(argv[1]), 0
    names = ["failures_line.*", "summary_short.*", "job_name.*"]  # globs: an artifact that lacks one is no failure
    reports: defaultdict[int, dict[str, list[str]]] = defaultdict(dict)  # by id: names recur when jobs are run again
    async with ArtifactsClient.from_env() as client:
        pages = {(job.name or "").rpartition(" / ")[2]: job.html_url async for job in client.list_run_jobs(repo, run)}
        async with client.read_members(client.list_run_artifacts(repo, run), names) as outcomes:
            async for outcome in outcomes:
                if outcome.ok is True:
                    reports[outcome.artifact.id][outcome.value.name] = outcome.value.text().splitlines()
                else:
                    failed = 1
                    print(outcome, file=sys.stderr)
    errors, seen = Counter[str](), dict[str, str]()
    for report in reports.values():
        lines = [line.partition(": ")[2] for line in report.get("failures_line.txt", ()) if ": " in line]
        tests = [line[7:] for line in report.get("summary_short.txt", ()) if line.startswith("FAILED ")]
        for error, test in zip(lines, tests, strict=True):
            seen.setdefault(error, f"{test} {pages.get(''.join(report.get('job_name.txt', ())), '')}")
        errors.update(lines)
    print(*(f"{count:5} {error}\n      {seen[error]}" for error, count in errors.most_common(30)), sep="\n")
    return failed


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
