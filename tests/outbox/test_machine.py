"""Random lives of five alerts and three channels, with faults and crashes at every step, held against the promises.

What people should be told is noted from each decision, and what they were told from what arrived.
`HYPOTHESIS_PROFILE=thorough` looks much longer.
"""

import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from guard.model import Ack, AlertKey, DeliveryState, EventKind, Knowledge, Level, Notification, Silence
from guard.store import Unit
from guard.store.database import Database
from tests.outbox.book import BOTH, CHANNELS, RULES, Edit
from tests.outbox.promises import Asked, Place, Promises
from tests.outbox.receivers import EDITS, Arrived, CrashError, Trouble
from tests.outbox.world import World

Story = tuple[str, str, AlertKey]  # of one alert, as one recipient of a channel hears it

PLACES: Final[tuple[Place, ...]] = tuple(
    (name, who) for name in CHANNELS for who in (BOTH if name == "mail" else ("",))
)
POINTS: Final = ("begin.inside", "begin.after", "settle.inside", "settle.after")
WHICH: Final = st.sampled_from((range(1), range(1, 2), range(RULES)))  # of the values
VALUE: Final = st.sampled_from((2.0, 3.0, 0.0, None))  # warning, critical, fine, unknown
MINUTES: Final = st.sampled_from((0.0, 0.02, 0.2, 1.0, 6.0, 20.0, 61.0, 241.0))
CHANNEL: Final = st.sampled_from(CHANNELS)
BOOK: Final = st.frozensets(st.sampled_from(Edit), max_size=2)
TROUBLE: Final = st.tuples(
    st.sampled_from((("bot", EDITS), *PLACES)), st.lists(st.sampled_from(Trouble), min_size=1, max_size=2)
)


@dataclass(frozen=True)
class Move:
    """Some values are others now."""

    which: range
    value: float | None


MOVE: Final = st.builds(Move, WHICH, VALUE)


class OutboxLife(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        path = Path(self.directory.name) / "guard.db"
        path.write_bytes(_new_database())
        self.world = World(path)
        self.promises = Promises()
        self.checked: Counter[str] = Counter()  # by channel: the messages that were held against the mutes
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

    @rule(number=st.integers(0, RULES - 1), value=st.sampled_from((2.0, 3.0)), times=st.integers(1, 4))
    def a_value_goes_up_and_down(self, number: int, value: float, times: int) -> None:
        """Four times within an hour is flapping."""
        for each in [value, 0.0] * times:
            self.world.clock.move(minutes=1)
            self.moves(Move(range(number, number + 1), each))
            for channel in CHANNELS:
                self.sends(channel)

    @rule()
    def half_an_hour_is_stable(self) -> None:
        for _ in range(11):
            self.world.clock.move(minutes=2.9)
            self.cycle()

    @rule(minutes=MINUTES)
    def the_account_gives_no_answer(self, minutes: float) -> None:
        self.world.clock.move(minutes=minutes)
        self.cycle(answers=False)
        for channel in CHANNELS:
            self.sends(channel)

    @precondition(lambda self: self.raised is None)
    @rule()
    def a_pass_begins(self) -> None:
        self.raised = defaultdict(list)

    @precondition(lambda self: self.raised is not None)
    @rule()
    def a_pass_is_over(self) -> None:
        self.raised = None
        self.world.outbox.storm.end(self.world.account)

    # --- what people ask for ---------------------------------------------------------------------------------------

    @rule(
        number=st.none() | st.integers(0, RULES - 1),
        starts=st.sampled_from((0, 0, 30)),
        minutes=st.sampled_from((1, 20, 300)),
        below=st.sampled_from((None, Level.CRITICAL)),
    )
    def somebody_asks_for_silence(self, number: int | None, starts: int, minutes: int, below: Level | None) -> None:
        pattern = "*" if number is None else f"{self.world.account}/r{number}"
        starts_at = self.world.clock.now() + timedelta(minutes=starts)
        silence = Silence(pattern, starts_at, starts_at + timedelta(minutes=minutes), below=below)
        name = self.world.store.now(lambda unit: unit.add_silence(silence))
        self.promises.silences.append(Asked(name, pattern, starts_at, silence.ends_at, below))

    @precondition(lambda self: any(not each.over for each in self.promises.silences))
    @rule()
    def somebody_ends_the_silences(self) -> None:
        for each in self.promises.silences:
            self.world.store.now(partial(Unit.end_silence, number=each.id, now=self.world.clock.now()))
            each.over = True

    @rule(number=st.integers(0, RULES - 1))
    def somebody_has_seen_an_incident(self, number: int) -> None:
        alert = self.world.alerts().get(AlertKey(self.world.account, f"r{number}"))
        if alert is not None and alert.incident is not None:
            ack = Ack(alert.incident.id, alert.incident.peak, self.world.clock.now())
            self.world.store.now(lambda unit: unit.add_ack(ack))
            self.promises.acks[ack.incident_id] = ack.level

    @precondition(lambda self: self.promises.acks)
    @rule()
    def somebody_takes_an_ack_back(self) -> None:
        incident, _ = self.promises.acks.popitem()
        self.world.store.now(lambda unit: unit.end_acks(incident, now=self.world.clock.now()))

    def moves(self, move: Move) -> None:
        for number in move.which:
            self.world.values[number] = move.value
        self.cycle()

    def cycle(self, *, answers: bool = True) -> None:
        self.check_what_arrived()
        self.world.clock.move(seconds=1, microseconds=1)  # no two incidents begin at one instant
        decision = self.world.cycle(answers=answers)
        self.promises.note(self.world.alerts(), self.world.policies, now=self.world.clock.now())
        if self.raised is not None:
            for each in decision.notifications:
                if each.key not in self.raised[each.channel]:
                    self.raised[each.channel].append(each.key)
            self.world.outbox.storm.note(self.world.account, decision.notifications)

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

    @rule(edits=BOOK, mended=st.booleans())
    def the_service_is_started_anew(self, edits: frozenset[Edit], mended: bool) -> None:
        """Perhaps with another rule file."""
        self.raised = None
        self.world.mended += mended
        self.count_what_may_be_lost()
        self.world.start(edits)
        self.forget_who_is_gone()

    @rule(edits=BOOK)
    def the_rule_file_is_edited(self, edits: frozenset[Edit]) -> None:
        self.raised = None
        self.world.outbox.storm.end(self.world.account)
        self.world.reload(edits)
        self.forget_who_is_gone()

    def forget_who_is_gone(self) -> None:
        for name, who in PLACES:
            if who not in self.world.recipients(name):
                self.check_what_arrived()
                self.promises.forget((name, who))
                self.world.channels[name].forget(who)
                self.checked[name] = len(self.world.channels[name].messages)

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
        held = {(each.key, each.recipient) for each in self.world.waiting(channel) if self.holds(each)}
        if not self.tries(lambda: self.world.sends(channel)):
            return
        assert held <= {(each.key, each.recipient) for each in self.world.waiting(channel)}, channel
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
            self.check_what_arrived()
            self.stories_are_told_in_their_order()
            self.what_flaps_is_told_once()
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
                    is_again = not self.is_known(before[0]) and known.ended >= before[1].ended
                    assert is_again or _follows(known, before[1]), (story, messages)
                told[known.incident_id], last = (message, known), known.incident_id

    def what_flaps_is_told_once(self) -> None:
        for story, messages in self.stories():
            told: dict[str, Arrived] = {}
            for message, known in messages:
                if known.flapping and not known.ended:
                    before = told.get(min(self.promises.family(known.incident_id)))
                    assert before is None or not self.is_known(before), (story, messages)
                    told[min(self.promises.family(known.incident_id))] = message

    def check_what_arrived(self) -> None:
        """Since the last cycle: what was told could be told, and nothing was that was muted then."""
        for name, channel in self.world.channels.items():
            for message in channel.messages[self.checked[name] :]:
                for cover in message.delivery.covers:
                    # What may have arrived before is brought to an end also while it is muted.
                    is_muted = (cover.key, cover.knowledge.level) in self.promises.muted
                    assert cover.knowledge.ended or message.delivery.may_have_arrived or not is_muted, message
                    self.check_that_it_may_be_told(cover.key, cover.knowledge, (name, message.delivery.recipient))
            self.checked[name] = len(channel.messages)

    def check_that_it_may_be_told(self, key: AlertKey, known: Knowledge, place: Place) -> None:
        promises = self.promises
        assert all(promises.may_know(place, each) for each in known.missed), (place, key, known)
        assert promises.may_know(place, known.incident_id), (place, key, known)
        if known.ended:
            return
        assert known.flapping or (known.incident_id, known.level) in promises.may[place], (place, key, known)
        if known.reminders and known.incident_id in promises.seen:
            told = [each for story, each in self.stories() if story == (*place, _one_name(key))]
            before = [each for messages in told for _, each in messages if each.incident_id == known.incident_id][:-1]
            assert not before or known.reminders == before[-1].reminders, (place, key, known)

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
            heard: set[tuple[str, frozenset[str]]] = set()
            for each in channel.messages:
                for known in (cover.knowledge for cover in each.delivery.covers):
                    place = (each.delivery.recipient, frozenset(self.promises.family(known.incident_id)))
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
                    told[name, each.delivery.recipient, _one_name(cover.key)].insert(0, (each, cover.knowledge))
        return iter(told.items())

    # --- after some quiet ------------------------------------------------------------------------------------------

    @rule()
    def nothing_goes_wrong_for_a_while(self) -> None:
        for channel in self.world.channels.values():
            channel.mend()
        self.raised = None
        self.world.outbox.storm.end(self.world.account)
        self.come_to_rest()
        self.cycle()  # what waited for something that was told by now
        self.come_to_rest()
        self.calm = set(PLACES)
        self.check_that_all_was_told()
        self.check_that_each_end_was_told()
        self.check_that_what_is_held_is_recorded()
        self.check_what_roots_show()

    def come_to_rest(self) -> None:
        for _ in range(40):
            for name in CHANNELS:
                self.sends(name)
            if self.is_at_rest():
                return
            self.world.clock.move(minutes=7)
        raise AssertionError(f"no rest: {self.world.deliveries()}")

    def is_at_rest(self) -> bool:
        waits = any(self.world.waiting(channel) for channel in CHANNELS)
        return not (self.world.deliveries() or waits or self.world.outdated())

    def check_that_all_was_told(self) -> None:
        told = self.told()
        for place, owed in self.promises.owed.items():
            for incident, level in owed.items():
                family = self.promises.family(incident)
                known = [each for _, each in told[place] if family & {each.incident_id, *each.missed}]
                reached = [each for each in known if each.level >= level or each.missed or len(family) > 1]
                assert reached, (place, incident, level, known)

    def check_that_each_end_was_told(self) -> None:
        alerts = self.world.alerts()
        going_on = {each.incident.id for each in alerts.values() if each.incident}
        going_on |= {each for key in self.promises.flaps for each in self.promises.flaps[key]}
        for place, messages in self.told().items():
            over = {each.incident_id for _, each in messages if each.ended}
            over |= {missed for _, each in messages for missed in each.missed}
            for message, known in messages:
                is_over = self.promises.family(known.incident_id) & (over | going_on)
                # Who may have been told before a mute began hears no end; they did not answer.
                assert is_over or not self.is_known(message), (place, message)

    def check_that_what_is_held_is_recorded(self) -> None:
        told = self.told()
        recorded = {(each.channel, each.incident_id) for each in self.world.events() if each.kind is EventKind.HELD}
        for (place, incident), key in self.promises.held.items():
            heard = any(self.promises.family(incident) & {each.incident_id} for _, each in told[place])
            assert heard or key in self.promises.flaps or (place[0], incident) in recorded, (place, key, incident)

    def told(self) -> defaultdict[Place, list[tuple[Arrived, Knowledge]]]:
        told: defaultdict[Place, list[tuple[Arrived, Knowledge]]] = defaultdict(list)
        for (name, who, _), messages in self.stories():
            told[name, who] += messages
        return told

    def check_what_roots_show(self) -> None:
        open_at = {each.incident.id: each.level for each in self.world.alerts().values() if each.incident}
        for posted, arrived in self.world.bot.roots:
            if not arrived.is_digest and self.is_known(arrived):
                level = open_at.get(arrived.incident_id)
                shown = level.word if level else "resolved"
                if self.is_told_as_flapping(arrived):
                    shown = "flapping"
                assert posted.mark.rpartition(" ")[2] == shown, (posted.texts, arrived.delivery)

    def is_told_as_flapping(self, arrived: Arrived) -> bool:
        known = [each.notified for each in self.world.notifications() if each.channel == arrived.channel]
        return any(each and each.flapping and each.incident_id == arrived.incident_id for each in known)

    def teardown(self) -> None:
        if not self.__dict__.get("world"):
            return
        try:
            self.nothing_goes_wrong_for_a_while()
            self.world.values = [0.0] * RULES
            for _ in range(12):
                self.world.clock.move(minutes=2.9)
                self.cycle()
            self.nothing_goes_wrong_for_a_while()
            assert not any(alert.incident or alert.flapping for alert in self.world.alerts().values())
        finally:
            self.world.store._database.close()
            self.directory.cleanup()


def _follows(known: Knowledge, before: Knowledge) -> bool:
    """Whether an incident has come further, or no longer flaps."""
    far, was = (known.level, known.reminders, known.ended), (before.level, before.reminders, before.ended)
    is_stable = before.flapping and not known.flapping and far == was
    return (far > was or is_stable) and not before.ended


def _one_name(key: AlertKey) -> AlertKey:
    """The alert's key, whatever the rule's name is just now."""
    return replace(key, rule=key.rule.replace("q", "r"))


@cache
def _new_database() -> bytes:
    """What an empty database is, since making one takes long."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "guard.db"
        Database(path, create=True).close()
        return path.read_bytes()


OutboxLife.TestCase.settings = settings(stateful_step_count=20)
test_random_lives = OutboxLife.TestCase
