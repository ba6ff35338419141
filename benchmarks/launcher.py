"""Starts one program after the other and says what each cost; its own memory is kept small on purpose.

Linux counts the memory of the process that starts a program towards that program's peak, up to the moment of exec. The
harness is larger than curl, so that curl's peak would be the harness's: this process stands between them and imports
nothing but os, signal, sys and time. One request a line on standard input, parts separated by the unit separator:
file for standard output, file for standard error, program, arguments. One answer a line: wall seconds, CPU seconds
(user and system, children that were waited for included), peak KiB of the biggest process, exit code.
"""

import os
import signal
import sys
import time

SEPARATOR = "\x1f"
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


def _run(out: str, err: str, argv: list[str]) -> tuple[float, float, int, int]:
    """Run one program to its end."""
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, out, _WRITE, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, err, _WRITE, 0o600),
    ]
    began = time.perf_counter()
    pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=actions)
    try:
        _, status, usage = os.wait4(pid, 0)
    except KeyboardInterrupt:
        os.kill(pid, signal.SIGTERM)  # to `timeout`, which hands it on to what it runs
        os.waitpid(pid, 0)
        raise
    wall = time.perf_counter() - began
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, os.waitstatus_to_exitcode(status)


def main() -> None:
    """Serve requests until standard input ends."""
    for line in sys.stdin:
        out, err, *argv = line.rstrip("\n").split(SEPARATOR)
        wall, cpu, peak, code = _run(out, err, argv)
        sys.stdout.write(f"{wall:.6f} {cpu:.6f} {peak} {code}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
