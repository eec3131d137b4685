"""What a person has resolved may fire again: its rule, or its source, decides about it anew."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.models import AlertLog

# What came by the API has no rule.
BY_API = UUID(int=0)


_FORGOTTEN = text(
    """
    DELETE FROM alert_instances i
    USING unnest(CAST(:keys AS bytea[]), CAST(:numbers AS bigint[])) AS k (fingerprint, alert_id)
    WHERE i.rule_id = :rule AND i.fingerprint = k.fingerprint AND i.alert_id = k.alert_id
    """
)
_WAITING = text(
    """
    UPDATE alert_instances i SET state = 'pending', fired_at = NULL, keep_since = NULL, alert_id = NULL,
           triggered_at = NULL, is_flapping = false, fires = trim_array(i.fires, least(1, cardinality(i.fires)))
    FROM unnest(CAST(:rules AS uuid[]), CAST(:keys AS bytea[]), CAST(:numbers AS bigint[]))
         AS k (rule_id, fingerprint, alert_id)
    WHERE i.rule_id = k.rule_id AND i.fingerprint = k.fingerprint AND i.alert_id = k.alert_id AND i.state = 'firing'
    """
)


async def let_fire_again(session: AsyncSession, alerts: Collection[AlertLog]) -> None:
    """Let the next evaluation, or post, open another alert where what was resolved is still true.

    What a rule sees waits as it did before it fired, since the same moment; a person's act is no flapping. What came
    by the API is forgotten. The alerts are locked: whoever changes both locks alerts before what rules see.
    """
    of_rules = [(one.rule_id, one) for one in alerts if one.rule_id is not None]
    if of_rules:
        given = {
            "rules": [rule for rule, _ in of_rules],
            "keys": [one.fingerprint for _, one in of_rules],
            "numbers": [one.alert_id for _, one in of_rules],
        }
        await session.execute(_WAITING, given)
    by_api = [one for one in alerts if one.rule_id is None]
    if by_api:
        keys = [one.fingerprint for one in by_api]
        given = {"rule": BY_API, "keys": keys, "numbers": [one.alert_id for one in by_api]}
        await session.execute(_FORGOTTEN, given)
