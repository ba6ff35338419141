"""The second run of realtime tests: who gets one, what is said about it, and when it fails the run."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

FLAKY = """
    import pytest
    import pathlib

    def flaky(name):
        seen = pathlib.Path(name)
        if not seen.exists():
            seen.touch()
            raise AssertionError("the machine was busy")
"""


@pytest.fixture
def run(pytester: pytest.Pytester):
    """Return a function that runs tests written after FLAKY, in a pytest of their own."""
    pytester.makeini("[pytest]\nmarkers = realtime\n")

    def run_tests(tests: str, *args: str) -> pytest.RunResult:
        pytester.makepyfile(FLAKY + tests)
        return pytester.runpytest_inprocess("--disable-plugin-autoload", "-p", "tests.kits.rerun", *args)

    return run_tests


def test_one_failure_is_forgiven_and_named(run):
    """A realtime test that fails once runs again, passes, and is named with its error."""
    result = run("""
    @pytest.mark.realtime
    def test_once(): flaky("once")
    """)
    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "*failed in its first run: *::test_once*",
            "*the machine was busy*",
            "*1 passed*",
            "1 realtime test needed a second run:",
            "  *::test_once: AssertionError: the machine was busy",
        ]
    )


def test_two_failures_are_one_too_many(run):
    """Two different tests that needed a second run fail the whole run, though both passed in the end."""
    result = run("""
    @pytest.mark.realtime
    @pytest.mark.parametrize("name", ["a", "b"])
    def test_once(name): flaky(name)
    """)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        ["2 realtime tests needed a second run:", "*[[]a]: *", "*[[]b]: *", "more than 1 of 2 *this run has failed"]
    )


@pytest.mark.parametrize(("flaky", "result"), [(2, pytest.ExitCode.OK), (3, pytest.ExitCode.TESTS_FAILED)])
def test_of_many_one_in_a_hundred_may(run, flaky: int, result: pytest.ExitCode):
    """Among 250 realtime tests two may need a second run, and three may not."""
    done = run(f"""
    @pytest.mark.realtime
    @pytest.mark.parametrize("number", range(250))
    def test_once(number):
        if number < {flaky}:
            flaky(str(number))

    @pytest.mark.parametrize("number", range(250))
    def test_other(number): pass
    """)
    assert done.ret == result
    done.assert_outcomes(passed=500)
    done.stdout.fnmatch_lines([f"{flaky} realtime tests needed a second run:"])


def test_one_that_fails_twice_has_failed(run):
    """The second run counts: what fails in it too is a failure."""
    result = run("""
    @pytest.mark.realtime
    def test_always(): assert False, "for a reason"
    """)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(failed=1)


def test_others_get_no_second_run(run):
    """A test that is not marked fails at its first failure."""
    result = run("""
    def test_once(): flaky("once")
    """)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*second run*")


def test_fixtures_are_set_up_again(run):
    """The second run has fixtures of its own, of wider scopes too, so that their failures are forgiven as well."""
    result = run("""
    @pytest.fixture(scope="module")
    def shared():
        flaky("shared")
        return []

    @pytest.mark.realtime
    def test_fresh(shared):
        assert shared == []
        shared.append(1)

    def test_next(shared):
        assert shared == [1]
    """)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["1 realtime test needed a second run:", "*::test_fresh: *"])


def test_a_failing_teardown_is_forgiven_too(run):
    """What fails while a test's own fixture is torn down needs a second run like any other failure."""
    result = run("""
    @pytest.fixture
    def own():
        yield []
        flaky("own")

    @pytest.mark.realtime
    def test_fresh(own):
        assert own == []
        own.append(1)
    """)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["1 realtime test needed a second run:", "*::test_fresh: *"])


def test_nothing_is_said_of_what_passed(run):
    """Tests that pass or are skipped at once need no tally."""
    result = run("""
    @pytest.mark.realtime
    def test_passes(): pass

    @pytest.mark.realtime
    def test_skipped(): pytest.skip("not here")
    """)
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.no_fnmatch_line("*second run*")


@pytest.mark.slow
def test_workers_report_to_the_one_tally(run):
    """With pytest-xdist, failures in different workers are counted together."""
    pytest.importorskip("xdist")
    result = run(
        """
    @pytest.mark.realtime
    @pytest.mark.parametrize("name", ["a", "b"])
    def test_once(name): flaky(name)
    """,
        *("-p", "xdist", "-n", "2"),
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        ["2 realtime tests needed a second run:", "more than 1 of 2 needed one, so this run has failed"]
    )
