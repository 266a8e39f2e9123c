"""Random lives of five alerts and three channels, with faults and crashes at every step, held against the promises.

`EXAMPLES=5000 make test ARGS="-n 0 tests/outbox/test_machine.py"` looks longer.
"""

import os
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from guard.model import AlertKey, CallKind, DeliveryState, Knowledge, Level, Notification
from guard.store.database import Database
from tests.outbox.receivers import Arrived, CrashError, Trouble
from tests.outbox.world import BOTH, CHANNELS, RULES, World

EXAMPLES: Final = int(os.environ.get("EXAMPLES", "60"))
LEVELS: Final = (0.0, 2.0, 3.0)  # fine, warning, critical
POINTS: Final = ("begin.inside", "begin.after", "settle.inside", "settle.after")
PLACES: Final = tuple((name, who) for name in CHANNELS for who in (BOTH if name == "mail" else ("",)))
WAITS: Final = (0.02, 0.1, 0.5, 1.0, 6.0, 20.0, 61.0, 241.0)  # minutes

Place = tuple[str, str]  # a channel and a recipient
Story = tuple[str, str, AlertKey]  # of one alert, as one recipient of a channel hears it


class OutboxLife(RuleBasedStateMachine):
    """What people should be told is noted from each decision, what they were told from what arrived."""

    @initialize()
    def begin(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        path = Path(self.directory.name) / "guard.db"
        path.write_bytes(_new_database())
        self.world = World(path)
        self.wished: defaultdict[Place, list[tuple[AlertKey, Knowledge]]] = defaultdict(list)
        self.in_pass = False
        self.is_calm: set[Place] = set(PLACES)  # where nothing went wrong since all was told

    # --- the world moves -------------------------------------------------------------------------------------------

    @rule(which=st.integers(0, RULES - 1), value=st.sampled_from(LEVELS))
    def a_value_moves(self, which: int, value: float) -> None:
        self.world.values[which] = value
        self.cycle()

    @rule(value=st.sampled_from(LEVELS))
    def all_values_move(self, value: float) -> None:
        self.world.values = [value] * RULES
        self.cycle()

    @rule()
    def the_account_is_asked_again(self) -> None:
        self.cycle()

    def cycle(self) -> None:
        self.world.clock.move(seconds=1, microseconds=1)  # no two incidents begin at one instant
        decision = self.world.cycle()
        if self.in_pass:
            self.world.outbox.storm.note("main", decision.notifications)
        for each in decision.notifications:
            self.note(each)

    def note(self, wish: Notification) -> None:
        assert wish.desired is not None
        self.wished[wish.channel, wish.recipient].append((wish.key, wish.desired))

    @rule(minutes=st.sampled_from(WAITS))
    def time_passes(self, minutes: float) -> None:
        self.world.clock.move(minutes=minutes)

    @rule(minutes=st.sampled_from((1.0, 90.0)))
    def the_clock_goes_back(self, minutes: float) -> None:
        self.world.clock.move(minutes=-minutes)
        for channel in self.world.channels.values():
            channel.left_alone_until.clear()

    @rule()
    def a_pass_begins(self) -> None:
        self.in_pass = True

    @precondition(lambda self: self.in_pass)
    @rule()
    def a_pass_is_over(self) -> None:
        self.in_pass = False
        self.world.outbox.storm.end("main")

    # --- what goes wrong -------------------------------------------------------------------------------------------

    @rule(place=st.sampled_from(PLACES), troubles=st.lists(st.sampled_from(Trouble), min_size=1, max_size=3))
    def a_channel_has_troubles(self, place: Place, troubles: list[Trouble]) -> None:
        name, who = place
        self.world.channels[name].troubles[who].extend(troubles)
        self.is_calm.discard(place)

    @rule(looks=st.lists(st.booleans(), min_size=1, max_size=3))
    def the_bot_sees_badly(self, looks: list[bool]) -> None:
        self.world.bot.looks.extend(looks)
        self.is_calm.discard(("bot", ""))

    @rule(blind=st.booleans())
    def the_bot_is_blind_or_sees(self, blind: bool) -> None:
        self.world.bot.is_blind = blind
        self.is_calm.discard(("bot", ""))

    @rule(channel=st.sampled_from(CHANNELS), which=st.integers(0, RULES - 1), value=st.sampled_from(LEVELS))
    def a_value_moves_while_a_call_is_under_way(self, channel: str, which: int, value: float) -> None:
        def moves() -> None:
            self.a_value_moves(which, value)

        self.world.channels[channel].meanwhile = moves
        self.one_attempt_is_made(channel)
        self.world.channels[channel].meanwhile = None

    @precondition(lambda self: self.world.bot.roots)
    @rule(number=st.integers(0, 9), replied=st.booleans())
    def a_person_deletes_a_message(self, number: int, replied: bool) -> None:
        roots = self.world.bot.roots
        self.world.bot.delete(roots[number % len(roots)][0], replied=replied)

    # --- what the outbox does --------------------------------------------------------------------------------------

    @rule()
    def all_is_sent(self) -> None:
        for channel in CHANNELS:
            self.sends(channel)

    @rule(channel=st.sampled_from(CHANNELS))
    def a_channel_sends(self, channel: str) -> None:
        self.sends(channel)

    @rule(channel=st.sampled_from(CHANNELS))
    def one_attempt_is_made(self, channel: str) -> None:
        try:
            self.world.attempts(channel)
        except CrashError:
            self.restart()

    @rule(channel=st.sampled_from(CHANNELS), point=st.sampled_from(POINTS))
    def the_process_dies_in_an_attempt(self, channel: str, point: str) -> None:
        self.world.store.dies_at = point
        self.is_calm -= {place for place in PLACES if place[0] == channel}
        self.sends(channel)
        self.world.store.dies_at = ""

    @rule(channel=st.sampled_from(CHANNELS))
    def an_outcome_cannot_be_written(self, channel: str) -> None:
        self.world.store.refuses = "settle"
        self.is_calm -= {place for place in PLACES if place[0] == channel}
        self.sends(channel)
        self.world.store.refuses = ""

    @rule()
    def the_service_is_started_anew(self) -> None:
        self.restart()

    @rule(rules=st.sampled_from((RULES - 1, RULES)), recipients=st.sampled_from((BOTH, BOTH[:1])))
    def the_rule_file_is_another(self, rules: int, recipients: tuple[str, ...]) -> None:
        self.count_what_may_be_lost()
        self.world.start(rules=rules, recipients=recipients)
        self.in_pass = False
        for place in [place for place in self.wished if place[1] not in self.world.recipients(place[0])]:
            del self.wished[place]
            self.world.channels[place[0]].forget(place[1])
        for each in self.notifications():
            if each.desired is not None:
                self.note(each)

    @rule()
    def a_channel_is_mended(self) -> None:
        self.world.mended += 1
        self.restart()

    def restart(self) -> None:
        self.count_what_may_be_lost()
        self.world.restart()
        self.in_pass = False

    def sends(self, channel: str) -> None:
        """A channel makes all attempts that are due; a process that dies of it is started again."""
        try:
            self.world.sends(channel)
        except CrashError:
            self.restart()
        else:
            if not self.in_pass:
                self.check_first_attempts(channel)

    def count_what_may_be_lost(self) -> None:
        """A delivery that is being sent when the process ends is in doubt."""
        for each in self.world.deliveries(DeliveryState.SENDING):
            self.world.channels[each.channel].in_doubt[each.key] += 1

    def notifications(self) -> list[Notification]:
        found: list[Notification] = self.world.store._database.run(lambda unit: unit.notifications())
        return found

    # --- always ----------------------------------------------------------------------------------------------------

    @invariant()
    def promises_hold(self) -> None:
        if self.__dict__.get("world"):
            self.stories_are_told_in_their_order()
            self.copies_come_of_doubt_alone()
            self.an_end_that_nobody_expects_says_so()
            self.a_thread_is_about_one_incident()
            self.an_incident_has_one_message_of_its_own()

    def check_first_attempts(self, channel: str) -> None:
        """After a channel sent all that is due, whoever still waits for something had an attempt of their own."""
        deliveries = self.world.deliveries()
        for waiting in self.world.waiting(channel):
            theirs = [each for each in deliveries if (each.channel, each.recipient) == (channel, waiting.recipient)]
            assert any(each.attempts for each in theirs), waiting
            assert (channel, waiting.recipient) not in self.is_calm, waiting

    def stories_are_told_in_their_order(self) -> None:
        for story, messages in self.stories():
            told: dict[str, tuple[Arrived, Knowledge]] = {}
            last = ""
            for message, known in messages:
                assert last in ("", known.incident_id) or known.incident_id not in told, (story, messages)
                if before := told.get(known.incident_id):
                    is_again = known == before[1] and self.may_be_told_again(before[0])
                    assert is_again or _follows(known, before[1]), (story, messages)
                told[known.incident_id], last = (message, known), known.incident_id

    def may_be_told_again(self, message: Arrived) -> bool:
        """Whether nobody could know that it was told: no answer came, and nobody could look, or it was gone by then."""
        key, bot = message.delivery.key, self.world.bot
        is_lost = message.channel != "bot" or key in bot.overlooked or bool(bot.deleted[key])
        return is_lost and key in self.world.channels[message.channel].in_doubt

    def copies_come_of_doubt_alone(self) -> None:
        for name, channel in self.world.channels.items():
            copies = Counter(each.delivery.key for each in channel.messages)
            for key, count in copies.items():
                if name == "bot" and key not in self.world.bot.overlooked:
                    assert count - 1 <= self.world.bot.deleted[key], key
                else:
                    assert count - 1 <= channel.in_doubt[key], key

    def an_end_that_nobody_expects_says_so(self) -> None:
        for name, channel in self.world.channels.items():
            heard: set[tuple[str, str]] = set()
            for each in channel.messages:
                for cover in each.delivery.covers:
                    known = cover.knowledge
                    place = (each.delivery.recipient, known.incident_id)
                    if known.ended and not each.is_digest and place not in heard:
                        assert any("could not be delivered before" in fact.text for fact in each.message.facts), name
                    if not known.ended:
                        heard.add(place)

    def a_thread_is_about_one_incident(self) -> None:
        for name, channel in self.world.channels.items():
            roots = {each.receipt: each for each in channel.messages}
            for each in channel.arrived:
                if each.thread:
                    root = roots[each.thread]
                    assert not each.is_digest
                    assert not root.is_digest
                    assert each.incident_id == root.incident_id, (name, each)
                    assert each.delivery.recipient == root.delivery.recipient

    def an_incident_has_one_message_of_its_own(self) -> None:
        bot = self.world.bot
        roots = Counter(each.incident_id for each in bot.messages if not each.thread and not each.is_digest)
        gone = Counter(
            each.incident_id
            for each in bot.messages
            if bot.deleted[each.delivery.key] or each.delivery.key in bot.overlooked
        )
        for incident_id, count in roots.items():
            assert count <= 1 + gone[incident_id], incident_id

    def stories(self) -> Iterator[tuple[Story, list[tuple[Arrived, Knowledge]]]]:
        """What each recipient was told of each alert, copies apart."""
        told: defaultdict[Story, list[tuple[Arrived, Knowledge]]] = defaultdict(list)
        for name, channel in self.world.channels.items():
            seen: set[str] = set()
            for each in channel.messages:
                for cover in each.delivery.covers if each.delivery.key not in seen else ():
                    told[name, each.delivery.recipient, cover.key].append((each, cover.knowledge))
                seen.add(each.delivery.key)
        return iter(told.items())

    # --- after some quiet ------------------------------------------------------------------------------------------

    @rule()
    def nothing_goes_wrong_for_a_while(self) -> None:
        for channel in self.world.channels.values():
            channel.mend()
        self.in_pass = False
        self.world.outbox.storm.end("main")
        for _ in range(40):
            for channel in CHANNELS:
                self.sends(channel)
            if self.is_at_rest():
                break
            self.world.clock.move(minutes=7)
        else:
            raise AssertionError(f"no rest: {self.world.deliveries()}")
        self.is_calm = set(PLACES)
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
        bot, alerts = self.world.bot, self.world.alerts()
        for posted, arrived in bot.roots:
            if arrived.is_digest or arrived.delivery.key in bot.overlooked:
                continue
            alert = alerts.get(arrived.delivery.covers[0].key)
            is_open = alert and alert.incident and alert.incident.id == arrived.incident_id
            assert alert is None or not is_open or alert.level
            shown = alert.level.word if alert and alert.level and is_open else "resolved"
            assert posted.mark.rpartition(" ")[2] == shown, (posted.texts, arrived.delivery)

    def teardown(self) -> None:
        if not self.__dict__.get("world"):
            return
        try:
            self.nothing_goes_wrong_for_a_while()
            for _ in range(8):
                self.all_values_move(0.0)
                self.time_passes(1.0)
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


OutboxLife.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=40, deadline=None)
test_random_lives = OutboxLife.TestCase


@cache
def _new_database() -> bytes:
    """What an empty database is, since making one takes long."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "guard.db"
        Database(path, create=True).close()
        return path.read_bytes()
