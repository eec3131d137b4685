"""Three people and a rule by which two of them decide on what the third wants to do."""

from dataclasses import dataclass

import pytest

from fleetkeeper.approvals import service
from fleetkeeper.approvals.schemas import ApprovalDetail, ApprovalRead
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.models import Group, GroupMember, User
from fleetkeeper.identity.permissions import Role
from fleetkeeper.identity.service import actor_of_user
from tests.factories.approvals import acting, ask, done, level, make_approval_rule
from tests.factories.identity import give, make_group, make_user
from tests.fixtures.client import TEST_CONTEXT


@dataclass
class Team:
    """Rita requests; Ann and Bob are the approvers, by their group; Sam is nobody in this."""

    app: object
    rita: Actor
    ann: Actor
    bob: Actor
    sam: Actor
    group: Group

    async def rule(self, minimum: int = 1, **columns: object) -> None:
        async with self.app.state.database.session(TEST_CONTEXT) as session:
            await make_approval_rule(session, level(self.group, minimum=minimum), **columns)

    async def ask(self, what: str = "it", **more: object) -> ApprovalRead:
        async with acting(self.app, self.rita) as session:
            return await ask(session, self.rita, what, **more)

    async def get(self, actor: Actor, request: ApprovalRead) -> ApprovalDetail:
        async with acting(self.app, actor) as session:
            return await service.get_request(session, actor, request.id)

    async def approve(self, actor: Actor, request: ApprovalRead, comment: str = "") -> ApprovalDetail:
        async with acting(self.app, actor) as session:
            return await service.approve(session, actor, request.id, comment)

    async def reject(self, actor: Actor, request: ApprovalRead, comment: str = "No") -> ApprovalDetail:
        async with acting(self.app, actor) as session:
            return await service.reject(session, actor, request.id, comment)

    async def cancel(self, actor: Actor, request: ApprovalRead) -> ApprovalDetail:
        async with acting(self.app, actor) as session:
            return await service.cancel(session, actor, request.id)

    async def leave(self, actor: Actor) -> None:
        """Leave the group of approvers."""
        async with self.app.state.database.session(TEST_CONTEXT) as session:
            await session.delete(await session.get(GroupMember, (self.group.id, actor.user_id)))

    async def disable(self, actor: Actor) -> None:
        async with self.app.state.database.session(TEST_CONTEXT) as session:
            (await session.get(User, actor.user_id)).enabled = False


@pytest.fixture
async def team(app) -> Team:
    done.clear()
    async with app.state.database.session(TEST_CONTEXT) as session:
        users = [await make_user(session, name) for name in ("rita", "ann", "bob", "sam")]
        for user in users:
            await give(session, user, Role.VIEWER)
        group = await make_group(session, users[1], users[2], name="Approvers")
        return Team(app, *[await actor_of_user(session, user) for user in users], group)
