"""Random lives of five alerts and three channels, with faults and crashes at every step, held against the promises.

What people should be told is noted from each decision, and what they were told from what arrived.
`HYPOTHESIS_PROFILE=thorough` looks much longer.
"""

import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from guard.model import AlertKey, DeliveryState, Knowledge, Notification
from guard.store.database import Database
from tests.outbox.receivers import EDITS, Arrived, CrashError, Trouble
from tests.outbox.world import BOTH, CHANNELS, RULES, World

Place = tuple[str, str]  # a channel and a recipient
Story = tuple[str, str, AlertKey]  # of one alert, as one recipient of a channel hears it

PLACES: Final[tuple[Place, ...]] = tuple(
    (name, who) for name in CHANNELS for who in (BOTH if name == "mail" else ("",))
)
POINTS: Final = ("begin.inside", "begin.after", "settle.inside", "settle.after")
WHICH: Final = st.sampled_from((range(1), range(1, 2), range(RULES)))  # of the values
VALUE: Final = st.sampled_from((2.0, 3.0, 0.0))  # warning, critical, fine
MINUTES: Final = st.sampled_from((0.0, 0.02, 0.2, 1.0, 6.0, 20.0, 61.0, 241.0))
CHANNEL: Final = st.sampled_from(CHANNELS)
TROUBLE: Final = st.tuples(
    st.sampled_from((("bot", EDITS), *PLACES)), st.lists(st.sampled_from(Trouble), min_size=1, max_size=2)
)


@dataclass(frozen=True)
class Move:
    """Some values are others now."""

    which: range
    value: float


MOVE: Final = st.builds(Move, WHICH, VALUE)


class OutboxLife(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        path = Path(self.directory.name) / "guard.db"
        path.write_bytes(_new_database())
        self.world = World(path)
        self.wished: defaultdict[Place, list[tuple[AlertKey, Knowledge]]] = defaultdict(list)
        self.raised: defaultdict[str, list[AlertKey]] | None = None  # by the pass that goes on, by channel
        self.calm: set[Place] = set(PLACES)  # where nothing went wrong since all was told

    # --- the world moves -------------------------------------------------------------------------------------------

    @rule(move=MOVE, minutes=MINUTES, trouble=st.none() | TROUBLE)
    def values_move(self, move: Move, minutes: float, trouble: tuple[Place, list[Trouble]] | None) -> None:
        """All that is due is sent then, perhaps with troubles."""
        self.world.clock.move(minutes=minutes)
        self.moves(move)
        if trouble is not None:
            (name, who), troubles = trouble
            self.world.channels[name].troubles[who].extend(troubles)
            self.calm.discard((name, "" if who == EDITS else who))
        for channel in CHANNELS:
            self.sends(channel)

    @rule(minutes=MINUTES)
    def time_passes(self, minutes: float) -> None:
        self.world.clock.move(minutes=minutes)
        self.cycle()
        for channel in CHANNELS:
            self.sends(channel)

    @rule(move=MOVE)
    def values_move_and_nothing_is_sent(self, move: Move) -> None:
        self.moves(move)

    @rule(channel=CHANNEL, first=MOVE, move=MOVE)
    def values_move_while_a_call_is_under_way(self, channel: str, first: Move, move: Move) -> None:
        self.moves(first)
        self.world.channels[channel].meanwhile = lambda: self.moves(move)
        self.tries(lambda: self.world.attempts(channel))
        self.world.channels[channel].meanwhile = None

    @rule(minutes=st.sampled_from((1.0, 90.0)))
    def the_clock_goes_back(self, minutes: float) -> None:
        self.world.clock.move(minutes=-minutes)
        for channel in self.world.channels.values():
            channel.left_alone_until.clear()

    @precondition(lambda self: self.raised is None)
    @rule()
    def a_pass_begins(self) -> None:
        self.raised = defaultdict(list)

    @precondition(lambda self: self.raised is not None)
    @rule()
    def a_pass_is_over(self) -> None:
        self.raised = None
        self.world.outbox.storm.end("main")

    def moves(self, move: Move) -> None:
        for number in move.which:
            self.world.values[number] = move.value
        self.cycle()

    def cycle(self) -> None:
        self.world.clock.move(seconds=1, microseconds=1)  # no two incidents begin at one instant
        decision = self.world.cycle()
        for each in decision.notifications:
            self.note(each)
            if self.raised is not None and each.key not in self.raised[each.channel]:
                self.raised[each.channel].append(each.key)
        if self.raised is not None:
            self.world.outbox.storm.note("main", decision.notifications)

    def note(self, wish: Notification) -> None:
        assert wish.desired is not None
        self.wished[wish.channel, wish.recipient].append((wish.key, wish.desired))

    # --- what goes wrong -------------------------------------------------------------------------------------------

    @rule(looks=st.lists(st.booleans(), min_size=1, max_size=3), blind=st.booleans())
    def the_bot_sees_badly(self, looks: list[bool], blind: bool) -> None:
        self.world.bot.looks.extend(looks)
        self.world.bot.is_blind = blind
        self.calm.discard(("bot", ""))

    @precondition(lambda self: self.world.bot.roots)
    @rule(number=st.integers(0, 9), replied=st.booleans())
    def a_person_deletes_a_message(self, number: int, replied: bool) -> None:
        roots = self.world.bot.roots
        self.world.bot.delete(roots[-1 - number % len(roots)][0], replied=replied)

    @rule(move=MOVE, channel=CHANNEL, point=st.sampled_from(POINTS))
    def the_process_dies_in_an_attempt(self, move: Move, channel: str, point: str) -> None:
        self.moves(move)
        self.calm -= {place for place in PLACES if place[0] == channel}
        self.world.store.dies_at = point
        self.sends(channel)
        self.world.store.dies_at = ""

    @rule(move=MOVE, channel=CHANNEL)
    def an_outcome_cannot_be_written(self, move: Move, channel: str) -> None:
        self.moves(move)
        self.calm -= {place for place in PLACES if place[0] == channel}
        self.world.store.refuses = "settle"
        self.sends(channel)
        self.world.store.refuses = ""

    @rule(rules=st.sampled_from((RULES, 4, 1)), recipients=st.sampled_from((BOTH, BOTH[:1])), mended=st.booleans())
    def the_service_is_started_anew(self, rules: int, recipients: tuple[str, ...], mended: bool) -> None:
        """Perhaps with another rule file."""
        self.raised = None
        self.world.mended += mended
        self.count_what_may_be_lost()
        self.world.start(rules=rules, recipients=recipients)
        for place in [place for place in self.wished if place[1] not in self.world.recipients(place[0])]:
            del self.wished[place]
            self.world.channels[place[0]].forget(place[1])
        for each in self.world.notifications():
            if each.desired is not None:
                self.note(each)

    def tries(self, work: Callable[[], object]) -> bool:
        """Whether the process lives on; one that dies is started again."""
        try:
            work()
        except CrashError:
            self.raised = None
            self.count_what_may_be_lost()
            self.world.restart()
            return False
        return True

    def count_what_may_be_lost(self) -> None:
        """A delivery that is being sent when the process ends is in doubt."""
        for each in self.world.deliveries(DeliveryState.SENDING):
            self.world.channels[each.channel].in_doubt[each.key] += 1

    # --- what is sent ----------------------------------------------------------------------------------------------

    def sends(self, channel: str) -> None:
        """A channel makes all attempts that are due."""
        expected = Counter(each.recipient for each in self.world.waiting(channel) if not self.holds(each))
        before = len(self.world.channels[channel].messages)
        if not self.tries(lambda: self.world.sends(channel)):
            return
        self.check_what_is_held(channel)
        self.check_first_attempts(channel)
        told = Counter(each.delivery.recipient for each in self.world.channels[channel].messages[before:])
        for who in self.world.recipients(channel):
            if (channel, who) in self.calm:
                self.check_that_none_is_hidden(self.world.channels[channel].messages[before:])
                assert told[who] == (expected[who] if expected[who] <= 3 else 1), (channel, who)

    def check_that_none_is_hidden(self, messages: Iterable[Arrived]) -> None:
        """Nobody looks into the thread of a message that was deleted."""
        assert not [each for each in messages if each.thread in self.world.bot.deleted and not each.is_loud]

    def holds(self, waiting: Notification) -> bool:
        """From the fourth alert on a pass holds back what it raises."""
        return self.raised is not None and waiting.key in self.raised[waiting.channel][3:]

    def check_what_is_held(self, channel: str) -> None:
        if self.raised is not None:
            held, waiting = self.raised[channel][3:], [each.key for each in self.world.waiting(channel)]
            assert set(held) <= set(waiting), channel

    def check_first_attempts(self, channel: str) -> None:
        """After all that is due was sent, whoever still waits for something had an attempt of their own."""
        deliveries = self.world.deliveries()
        for waiting in self.world.waiting(channel):
            theirs = [each for each in deliveries if (each.channel, each.recipient) == (channel, waiting.recipient)]
            if not self.holds(waiting):
                assert any(each.attempts for each in theirs), waiting
                assert (channel, waiting.recipient) not in self.calm, waiting

    # --- always ----------------------------------------------------------------------------------------------------

    @invariant()
    def promises_hold(self) -> None:
        if self.__dict__.get("world"):
            assert not [channel.complaints for channel in self.world.channels.values() if channel.complaints]
            self.stories_are_told_in_their_order()
            self.copies_come_of_doubt_alone()
            self.an_end_that_nobody_expects_says_so()
            self.a_thread_is_about_one_incident()
            self.an_incident_has_one_message_of_its_own()

    def stories_are_told_in_their_order(self) -> None:
        for story, messages in self.stories():
            told: dict[str, tuple[Arrived, Knowledge]] = {}
            last = ""
            for message, known in messages:
                assert last in ("", known.incident_id) or known.incident_id not in told, (story, messages)
                if before := told.get(known.incident_id):
                    is_again = known == before[1] and not self.is_known(before[0])
                    assert is_again or _follows(known, before[1]), (story, messages)
                told[known.incident_id], last = (message, known), known.incident_id

    def is_known(self, message: Arrived) -> bool:
        """Whether it can be known that it was told: an answer came, or it can be looked for and is there."""
        key = message.delivery.key
        if message.channel == "bot":
            return message.receipt not in self.world.bot.deleted and key not in self.world.bot.overlooked
        return not self.world.channels[message.channel].in_doubt[key]

    def copies_come_of_doubt_alone(self) -> None:
        bot = self.world.bot
        for name, channel in self.world.channels.items():
            for key, count in Counter(each.delivery.key for each in channel.messages).items():
                deleted = sum(each.receipt in bot.deleted for each in channel.messages if each.delivery.key == key)
                looked_for = name == "bot" and key not in bot.overlooked
                assert count - 1 <= (deleted if looked_for else channel.in_doubt[key]), key

    def an_end_that_nobody_expects_says_so(self) -> None:
        for name, channel in self.world.channels.items():
            heard: set[tuple[str, str]] = set()
            for each in channel.messages:
                for known in (cover.knowledge for cover in each.delivery.covers):
                    place = (each.delivery.recipient, known.incident_id)
                    if known.ended and not each.is_digest and place not in heard:
                        assert any("could not be delivered before" in fact.text for fact in each.message.facts), name
                    heard |= {place} if not known.ended else set()

    def a_thread_is_about_one_incident(self) -> None:
        for channel in self.world.channels.values():
            by_receipt = {each.receipt: each for each in channel.messages}
            begun: dict[tuple[str, str], Arrived] = {}
            for each in channel.messages:
                place = (each.delivery.recipient, each.incident_id)
                if each.thread:
                    root = by_receipt[each.thread]
                    assert not each.is_digest
                    assert not root.is_digest
                    assert (root.delivery.recipient, root.incident_id) == place, each
                elif not each.is_digest:
                    first = begun.setdefault(place, each)
                    assert first is each or not channel.threads or not self.is_known(first), (first, each)

    def an_incident_has_one_message_of_its_own(self) -> None:
        bot = self.world.bot
        alone = [each for each in bot.messages if not each.thread and not each.is_digest]
        unseen = Counter(each.incident_id for each in bot.messages if not self.is_known(each))
        for incident_id, count in Counter(each.incident_id for each in alone).items():
            assert count <= 1 + unseen[incident_id], incident_id

    def stories(self) -> Iterator[tuple[Story, list[tuple[Arrived, Knowledge]]]]:
        """What each recipient was told of each alert, copies apart."""
        told: defaultdict[Story, list[tuple[Arrived, Knowledge]]] = defaultdict(list)
        for name, channel in self.world.channels.items():
            for each in {each.delivery.key: each for each in reversed(channel.messages)}.values():
                for cover in each.delivery.covers:
                    told[name, each.delivery.recipient, cover.key].insert(0, (each, cover.knowledge))
        return iter(told.items())

    # --- after some quiet ------------------------------------------------------------------------------------------

    @rule()
    def nothing_goes_wrong_for_a_while(self) -> None:
        for channel in self.world.channels.values():
            channel.mend()
        self.raised = None
        self.world.outbox.storm.end("main")
        for _ in range(40):
            for name in CHANNELS:
                self.sends(name)
            if self.is_at_rest():
                break
            self.world.clock.move(minutes=7)
        else:
            raise AssertionError(f"no rest: {self.world.deliveries()}")
        self.calm = set(PLACES)
        self.check_that_all_was_told()
        self.check_what_roots_show()

    def is_at_rest(self) -> bool:
        waits = any(self.world.waiting(channel) for channel in CHANNELS)
        return not (self.world.deliveries() or waits or self.world.outdated())

    def check_that_all_was_told(self) -> None:
        told: defaultdict[Place, list[tuple[AlertKey, Knowledge]]] = defaultdict(list)
        for (name, who, key), messages in self.stories():
            told[name, who] += [(key, known) for _, known in messages]
        for place, wishes in self.wished.items():
            for key, wish in wishes:
                assert any(_covers(known, wish) for other, known in told[place] if other == key), (place, key, wish)

    def check_what_roots_show(self) -> None:
        alerts = self.world.alerts()
        for posted, arrived in self.world.bot.roots:
            if not arrived.is_digest and self.is_known(arrived):
                alert = alerts.get(arrived.delivery.covers[0].key)
                is_open = alert and alert.incident and alert.incident.id == arrived.incident_id
                shown = alert.level.word if is_open and alert and alert.level else "resolved"
                assert posted.mark.rpartition(" ")[2] == shown, (posted.texts, arrived.delivery)

    def teardown(self) -> None:
        if not self.__dict__.get("world"):
            return
        try:
            self.nothing_goes_wrong_for_a_while()
            for _ in range(8):
                self.values_move(Move(range(RULES), 0.0), minutes=1.0, trouble=None)
            self.nothing_goes_wrong_for_a_while()
            assert not any(alert.incident for alert in self.world.alerts().values())
        finally:
            self.world.store._database.close()
            self.directory.cleanup()


def _follows(known: Knowledge, before: Knowledge) -> bool:
    """Whether an incident has come further."""
    far = (known.level, known.reminders, known.ended)
    return far > (before.level, before.reminders, before.ended) and not before.ended


def _covers(known: Knowledge, wish: Knowledge) -> bool:
    """Whether who was told `known` has heard of `wish`; a reminder may be left out for something newer."""
    if known.incident_id != wish.incident_id:
        return wish.incident_id in known.missed
    return known.level >= wish.level and known.ended >= wish.ended


@cache
def _new_database() -> bytes:
    """What an empty database is, since making one takes long."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "guard.db"
        Database(path, create=True).close()
        return path.read_bytes()


OutboxLife.TestCase.settings = settings(stateful_step_count=20)
test_random_lives = OutboxLife.TestCase
