"""What is under way to those who should know more of an alert than they do, in the words of `guard explain`."""

from typing import TYPE_CHECKING, Final

from guard.cli.hushed import mutes_text
from guard.model import CallKind, Delivery, DeliveryState
from guard.units import duration_text, instant_text

if TYPE_CHECKING:
    from guard.cli.situation import Situation, Target

NOW: Final = "is told now"


def under_way_text(it: "Situation") -> str:
    """One reason for each of those who know less than they should; empty where there is nobody."""
    untold = [_untold(it, each) for each in it.targets if each.gap]
    too_late = {mutes_text(it, each): None for each in it.targets if each.is_begun}
    return "; ".join([*untold, *(f"began too late to hold that back: {each}" for each in too_late if each)])


def is_under_way(it: "Situation") -> bool:
    """Whether somebody is told this very moment."""
    return any(
        each.gap and not is_gone(it, each) and (progress(it, each) or NOW).startswith(NOW) for each in it.targets
    )


def is_gone(it: "Situation", target: "Target") -> bool:
    """Whether the rule file no longer has the channel, or the recipient there."""
    from guard.config import recipients_of

    if it.file.config is None:
        return False
    channel = it.file.config.channels.get(target.channel)
    return channel is None or target.recipient not in recipients_of(channel)


def progress(it: "Situation", target: "Target") -> str:
    """Where the message to a recipient stands, as what is said of that one; empty where none was planned yet."""
    delivery = told_by(target)
    if delivery is None:
        before = target.before if _finds(it, target) else None
        return f"is told after an earlier message; it {_next(it, target, before)}" if before else ""
    if delivery.state is DeliveryState.DEAD:
        return f"{_died(delivery)}; {_revived(it, target, delivery).removeprefix('is ')}"
    return _next(it, target, delivery)


def told_by(target: "Target") -> Delivery | None:
    """The delivery that is to tell a recipient, the newest if there are more; None where none was planned yet."""
    tellings = [each for each in target.deliveries if each.call is not CallKind.EDIT and _covers(each, target)]
    return tellings[-1] if tellings else None


def _covers(delivery: Delivery, target: "Target") -> bool:
    from guard.outbox.plan import cover_of, unheard_firing

    wanted = target.notification
    return wanted is not None and not {cover_of(wanted), unheard_firing(wanted)}.isdisjoint(delivery.covers)


def _untold(it: "Situation", target: "Target") -> str:
    from guard.outbox.plan import SINGLE_MESSAGES

    if is_gone(it, target):
        return f"{target.name} is no longer in {it.file.source(it.tz)}"
    delivery = told_by(target)
    if delivery is None:
        is_storm = it.raised >= SINGLE_MESSAGES
        rest = ", or at the end of the pass over its account and sub-accounts, in one digest" if is_storm else ""
        return f"{target.name} {progress(it, target) or NOW + rest}"
    others = len(delivery.covers) - 1
    digest = f", in one digest with {others} other{'s' if others > 1 else ''}" if others else ""
    if delivery.state is DeliveryState.DEAD:
        return f"{target.name} {_died(delivery)}{digest}{_why(delivery)}; it {_revived(it, target, delivery)}"
    return f"{target.name} {_next(it, target, delivery)}{digest}{_why(delivery)}"


def _died(delivery: Delivery) -> str:
    """What became of a message that is tried no more for now."""
    from guard.lifecycle.strait import GIVE_UP_AFTER, GIVEN_UP

    if delivery.why.endswith(GIVEN_UP):
        return f"did not take it for {GIVE_UP_AFTER.days} day, so that it was given up"
    return "refused it"


def _revived(it: "Situation", target: "Target", delivery: Delivery) -> str:
    from guard.outbox.plan import PROBE_EVERY

    if delivery.settled_at is None or it.now - delivery.settled_at >= PROBE_EVERY:
        return "is tried again now"
    return f"is tried again within the hour, or after `guard send-test {target.channel}`"


def _next(it: "Situation", target: "Target", delivery: Delivery) -> str:
    """When something is done about a message that is not given up, and what."""
    is_doubted = delivery.may_have_arrived and _finds(it, target)
    # What is due by now waits all the same while another message to the same recipient does.
    due_at = delivery.due_at if is_doubted else max(delivery.due_at, target.alone_until or delivery.due_at)
    is_due = delivery.state is not DeliveryState.PENDING or due_at <= it.now
    when = "now" if is_due else f"in {duration_text(due_at - it.now)}, at {instant_text(due_at, it.tz)}"
    if is_doubted:
        return f"is asked {when}, whether it has arrived"
    return NOW if is_due else f"is tried again {when}"


def _finds(it: "Situation", target: "Target") -> bool:
    """Whether the channel is asked for what may have arrived, before anything else is sent there."""
    from guard.config import SlackBotConfig

    return it.file.config is not None and isinstance(it.file.config.channels.get(target.channel), SlackBotConfig)


def _why(delivery: Delivery) -> str:
    """What the last attempt came to, in brackets."""
    from guard.lifecycle.strait import GIVEN_UP

    why = delivery.why.removesuffix(GIVEN_UP)
    if not why and delivery.attempts and delivery.state is DeliveryState.PENDING:
        why = "the last attempt there failed"
    doubt = "it may have arrived" if delivery.may_have_arrived and "may have arrived" not in why else ""
    said = "; ".join(filter(None, (why, doubt)))
    return f" ({said})" if said else ""
