"""Moves of statuses: kept with who made them, never changed, and forgotten in the end."""

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.exc import ProgrammingError

from fleetkeeper.database.status_history import StatusChange, changes_of, forget_moves, move
from fleetkeeper.errors import ConflictError
from fleetkeeper.jobs.models import JobRun
from fleetkeeper.jobs.service import enqueue
from fleetkeeper.jobs.status import RUNS, RunState


async def test_a_move_that_is_not_allowed_leaves_nothing(session):
    asked = await enqueue(session, "telemetry.measure_space")
    run = await session.get(JobRun, asked.id)
    with pytest.raises(ConflictError):
        await move(session, RUNS, run, RunState.DONE, column="state")
    assert (run.state, await changes_of(session, run.id)) == ("waiting", [])


async def test_moves_are_in_their_order_and_go_when_they_are_old(session):
    asked = await enqueue(session, "telemetry.measure_space")
    run = await session.get(JobRun, asked.id)
    await move(session, RUNS, run, RunState.RUNNING, column="state")
    await move(session, RUNS, run, RunState.FAILED, reason="No room", column="state")
    moves = [(one.old_status, one.new_status, one.reason) for one in await changes_of(session, run.id)]
    assert moves == [("waiting", "running", ""), ("running", "failed", "No room")]
    await forget_moves(session, timedelta(days=1))
    assert len(await changes_of(session, run.id)) == 2
    await forget_moves(session, timedelta(days=-1))
    assert await changes_of(session, run.id) == []


async def test_the_application_cannot_rewrite_them(app, admin):
    async with app.state.database.session() as session:
        with pytest.raises(ProgrammingError, match="permission denied"):
            await session.execute(update(StatusChange).values(reason="another"))
