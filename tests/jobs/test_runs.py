"""Runs of jobs: asked for in a transaction, carried out, cancelled, tried again, taken up after a death."""

import asyncio
from uuid import uuid4

import pytest

from fleetkeeper.errors import ConflictError
from fleetkeeper.jobs import declaring, run, service
from fleetkeeper.jobs.abandoned import MOST_ATTEMPTS, take_up_abandoned
from fleetkeeper.jobs.declaring import job
from fleetkeeper.jobs.queue import build_queue
from fleetkeeper.jobs.registration import register
from fleetkeeper.jobs.run import RunFailedError, Tools
from fleetkeeper.jobs.schemas import RunAsked
from tests.fixtures.client import TEST_CONTEXT

# So that the test alone says when.
RARELY = "0 0 29 2 *"


@pytest.fixture(autouse=True)
def jobs(monkeypatch):
    """No job but the test's own."""
    monkeypatch.setattr(declaring, "JOBS", {})
    monkeypatch.setattr("fleetkeeper.jobs.registration.JOBS", declaring.JOBS)
    monkeypatch.setattr("fleetkeeper.jobs.service.JOBS", declaring.JOBS)
    monkeypatch.setattr(run, "TELL_EVERY_SECONDS", 0.0)


@pytest.fixture
async def worker(app, settings, app_url):
    """What a worker does until nothing waits that is due."""
    database = app.state.database
    queue = build_queue(app_url)

    async def work() -> None:
        if not declaring.JOBS.keys() <= queue.tasks.keys():
            register(Tools(database, database, settings, queue))
        await queue.run_worker_async(wait=False, install_signal_handlers=False, listen_notify=False)

    async with queue.open_async():
        work.queue = queue
        yield work


async def ask(app, name: str, key: str = "", **args: object) -> RunAsked:
    async with app.state.database.session(TEST_CONTEXT) as session:
        return await service.enqueue(session, name, key, **args)


async def read(app, run_id):
    async with app.state.database.session(TEST_CONTEXT) as session:
        return await service.get_run(session, run_id)


async def test_what_would_fail_again_is_not_tried_again(app, worker):
    tried = []

    @job("test.give_up", "Give up")
    async def give_up(run):
        tried.append(run.id)
        run.outcome["moved"] = 3
        raise RunFailedError("The store is full.")

    asked = await ask(app, "test.give_up")
    await worker()
    found = await read(app, asked.id)
    assert (found.state, found.error, found.outcome) == ("failed", "The store is full.", {"moved": 3})
    assert tried == [asked.id]


async def test_a_run_is_carried_out_and_tells(app, worker):
    @job("test.count", "Count things")
    async def count(run):
        await run.tell("Counting", 3, 4)
        assert (await read(app, run.id)).done == 3
        run.outcome["counted"] = run.args["most"]

    asked = await ask(app, "test.count", most=4)
    waiting = await read(app, asked.id)
    assert (waiting.state, waiting.title, waiting.requested_by) == ("waiting", "Count things", "schedule")
    await worker()
    done = await read(app, asked.id)
    assert (done.state, done.phase, done.total, done.outcome) == ("done", "Counting", 4, {"counted": 4})
    assert done.requested_at <= done.started_at <= done.finished_at


async def test_nothing_is_asked_for_without_the_commit(app, worker):
    @job("test.never", "Never")
    async def never(run):
        pytest.fail("it was not asked for")

    with pytest.raises(RuntimeError):
        async with app.state.database.session(TEST_CONTEXT) as session:
            await service.enqueue(session, "test.never")
            raise RuntimeError
    await worker()


async def test_what_waits_is_not_asked_for_twice_but_for_another_key(app, worker):
    seen = []

    @job("test.key", "By key")
    async def work(run):
        seen.append(run.args["which"])

    first = await ask(app, "test.key", "a", which="first")
    assert await ask(app, "test.key", "a", which="second") == RunAsked(id=first.id, is_new=False)
    assert (await ask(app, "test.key", "b", which="other")).is_new
    await worker()
    assert sorted(seen) == ["first", "other"]
    assert (await ask(app, "test.key", "a", which="again")).is_new


async def test_a_failed_run_waits_to_be_tried_again_and_then_fails(app, worker, connection):
    @job("test.fail", "Fail")
    async def fail(run):
        raise ValueError("the source is away\nand a trace")

    asked = await ask(app, "test.fail")
    await worker()
    found = await read(app, asked.id)
    assert (found.state, found.error, found.attempts) == ("waiting", "the source is away", 1)
    connection.execute("UPDATE procrastinate_jobs SET scheduled_at = NULL, attempts = 5")
    await worker()
    found = await read(app, asked.id)
    assert (found.state, found.attempts) == ("failed", 2)
    assert found.finished_at is not None


async def test_a_run_that_waits_is_cancelled_before_it_begins(app, worker):
    @job("test.never", "Never")
    async def never(run):
        pytest.fail("it was cancelled")

    asked = await ask(app, "test.never")
    async with app.state.database.session(TEST_CONTEXT) as session:
        assert (await service.cancel(session, asked.id)).state == "cancelled"
    await worker()
    assert (await read(app, asked.id)).state == "cancelled"
    async with app.state.database.session(TEST_CONTEXT) as session:
        with pytest.raises(ConflictError, match="already finished"):
            await service.cancel(session, asked.id)


async def test_a_run_under_way_stops_at_its_next_step(app, worker):
    begun, steps = asyncio.Event(), []

    @job("test.long", "Long")
    async def work(run):
        for step in range(1000):
            await run.tell("Working", step)
            steps.append(step)
            begun.set()
            await asyncio.sleep(0)

    asked = await ask(app, "test.long")
    working = asyncio.create_task(worker())
    await asyncio.wait_for(begun.wait(), 30)
    async with app.state.database.session(TEST_CONTEXT) as session:
        assert (await service.cancel(session, asked.id)).state == "running"
    await working
    assert (await read(app, asked.id)).state == "cancelled"
    assert len(steps) < 1000


async def test_a_dead_worker_s_run_is_taken_up(app, worker, connection):
    seen = []

    @job("test.again", "Again")
    async def work(run):
        seen.append(run.args["which"])

    asked = await ask(app, "test.again", which=7)
    # As a worker leaves it that was killed in the middle of it.
    connection.execute("UPDATE procrastinate_jobs SET status = 'doing'")
    connection.execute(
        "UPDATE job_runs SET state = 'running', attempts = 1, queue_job_id = (SELECT id FROM procrastinate_jobs)"
    )
    assert await take_up_abandoned(worker.queue, app.state.database) == 1
    await worker()
    found = await read(app, asked.id)
    assert (seen, found.state, found.attempts) == ([7], "done", 2)


async def test_what_its_workers_die_of_fails_with_a_reason(app, worker, connection):
    @job("test.deadly", "Deadly")
    async def work(run):
        pytest.fail("it was given up")

    asked = await ask(app, "test.deadly")
    connection.execute("UPDATE procrastinate_jobs SET status = 'doing', attempts = %s", (MOST_ATTEMPTS - 1,))
    connection.execute(
        "UPDATE job_runs SET state = 'running', queue_job_id = (SELECT id FROM procrastinate_jobs)"
    )
    assert await take_up_abandoned(worker.queue, app.state.database) == 1
    found = await read(app, asked.id)
    assert (found.state, found.error) == ("failed", f"Its workers died {MOST_ATTEMPTS} times.")


class TestScheduled:
    async def start(self, worker, name):
        await worker()
        await worker.queue.tasks[name].defer_async(timestamp=0)
        await worker()

    async def test_a_run_that_nobody_asked_for_is_kept(self, app, worker, connection):
        @job("test.daily", "Daily", cron=RARELY)
        async def work(run):
            await run.tell("Working", 1, 1)

        await self.start(worker, "test.daily")
        found = connection.execute("SELECT requested_by, state, done FROM job_runs").fetchall()
        assert found == [("schedule", "done", 1)]

    async def test_it_takes_up_what_was_asked_for(self, app, worker, connection):
        @job("test.daily", "Daily", cron=RARELY)
        async def work(run):
            pass

        await worker()
        await worker.queue.tasks["test.daily"].defer_async(timestamp=0)
        asked = await ask(app, "test.daily")
        await worker()
        assert connection.execute("SELECT id, state FROM job_runs").fetchall() == [(asked.id, "done")]

    async def test_quiet_upkeep_is_kept_where_it_fails(self, app, worker, connection):
        outcomes = [None, ValueError("no disk")]

        @job("test.upkeep", "Upkeep", cron=RARELY, is_quiet=True)
        async def work(run):
            await run.tell("Working")
            if error := outcomes.pop(0):
                raise error

        await self.start(worker, "test.upkeep")
        assert connection.execute("SELECT count(*) FROM job_runs").fetchone() == (0,)
        await worker.queue.tasks["test.upkeep"].defer_async(timestamp=1)
        await worker()
        assert connection.execute("SELECT state, error FROM job_runs").fetchall() == [("waiting", "no disk")]


def test_two_jobs_have_two_names():
    job("test.name", "One")(None)
    with pytest.raises(ValueError, match=r"test\.name"):
        job("test.name", "Other")(None)


class TestApi:
    async def test_who_may_not_change_settings_may_not_run_or_cancel(self, app, admin, viewer, worker):
        @job("test.asked", "Asked", manual_run=True)
        async def work(run):
            pass

        asked = await admin.post("/api/v1/jobs/test.asked/runs")
        assert asked.status_code == 202
        assert (await admin.post("/api/v1/jobs/test.asked/runs")).json() == asked.json() | {"is_new": False}
        run_id = asked.json()["id"]
        assert (await viewer.get("/api/v1/jobs")).status_code == 403
        assert (await viewer.get(f"/api/v1/jobs/runs/{run_id}")).status_code == 403
        assert (await viewer.post("/api/v1/jobs/test.asked/runs")).status_code == 403
        assert (await viewer.post(f"/api/v1/jobs/runs/{run_id}/cancel")).status_code == 403
        listed = (await admin.get("/api/v1/jobs/runs", params={"state": "waiting"})).json()
        assert [(one["id"], one["requested_by"]) for one in listed["results"]] == [(run_id, "admin")]
        (only,) = (await admin.get("/api/v1/jobs")).json()
        assert (only["name"], only["waiting"], only["last_run"]["id"]) == ("test.asked", 1, run_id)
        assert (await admin.post(f"/api/v1/jobs/runs/{run_id}/cancel")).json()["state"] == "cancelled"
        assert (await admin.post(f"/api/v1/jobs/runs/{run_id}/cancel")).status_code == 409
        assert (await admin.get(f"/api/v1/jobs/runs/{uuid4()}")).status_code == 404

    async def test_what_runs_by_itself_is_not_run_by_hand(self, admin):
        @job("test.own", "Own", cron=RARELY)
        async def work(run):
            pass

        assert (await admin.post("/api/v1/jobs/test.own/runs")).status_code == 422
        assert (await admin.post("/api/v1/jobs/test.none/runs")).status_code == 404
