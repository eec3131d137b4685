"""Who may have a query worked on."""

from collections.abc import Hashable

from fleetkeeper.errors import OverloadedError
from fleetkeeper.kit.fair_places import FairPlaces
from fleetkeeper.telemetry.promql.errors import QueryTimeoutError, TooManyQueriesError


class Places(FairPlaces):
    """Places for queries by user, refused in the words of Prometheus."""

    async def take(self, caller: Hashable, seconds: float) -> None:
        """Take a place, or wait for one so long. Raises QueryTimeoutError or TooManyQueriesError."""
        try:
            await super().take(caller, seconds)
        except TimeoutError:
            raise QueryTimeoutError("query timed out in query queue") from None
        except OverloadedError:
            raise TooManyQueriesError("too many queries wait already; ask again later") from None
