"""Use cases of organizers with deliveries, and with the mails that came of them."""

from collections.abc import Sequence
from uuid import UUID

from c4p import domain
from c4p.domain import Action, Actor, Delivery, DeliveryState
from c4p.store import deliveries
from c4p.store.database import Store, Transaction
from c4p.use_cases.actions import run_recorded


async def list_page(
    store: Store,
    proposal_id: UUID | None,
    state: DeliveryState | None,
    after: UUID | None,
    limit: int,
) -> tuple[Sequence[Delivery], UUID | None]:
    """Return deliveries, the newest first, and the cursor of the next page if there is one."""
    return await store.run(
        lambda tx: deliveries.list_page(
            tx, proposal_id=proposal_id, state=state, after=after, limit=limit
        ),
        atomic=False,
    )


async def retry(store: Store, delivery_id: UUID, attempts: int | None, actor: Actor) -> Delivery:
    """Make a delivery due now, record who asked for it, and return the delivery.

    With the `attempts` that the actor saw it happens once, however often it is asked for.
    DeliveryNotFoundError, or the errors of `domain.retry_generation`.
    """

    async def work(transaction: Transaction) -> Delivery:
        delivery, proposal_state = await deliveries.find_for_retry(transaction, delivery_id)
        generation = domain.retry_generation(delivery, proposal_state, attempts)
        return await deliveries.make_due(transaction, delivery, generation)

    data = {"delivery": str(delivery_id)}
    return await run_recorded(store, Action.DELIVERY_RETRIED, actor, data, work)
