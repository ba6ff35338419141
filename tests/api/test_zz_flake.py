import asyncio, pytest
from tests.api.test_runs import *
from tests.api.conftest import *
@pytest.mark.parametrize("n", range(25))
async def test_x(github, session, n, caplog):
    made = fill(github, 1300)
    await ids(listing.workflow_runs(session, NAME, filters=MAIN, limit=1005))
    if len(github.requests) != 11:
        for r in github.requests: print(r.number, r.raw_path[-150:], r.time, r.status, r.bytes_sent)
        print(asyncio.get_running_loop().jumped, caplog.records)
        assert 0
