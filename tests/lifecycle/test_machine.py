"""Random lives of one alert and two channels, held against a slow and plain account of the same promises.

The invariants come in pairs, since a machine that never fires would pass every "never too early".
"""

from datetime import timedelta
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from guard.lifecycle.desired import desire, gap
from guard.lifecycle.step import step
from guard.model import Alert, Evaluation, EventKind, Knowledge, Level, Notification, Occasion, State
from guard.rules.policy import Remind
from tests.builders import KEY, MINUTE, NOW, evaluation, policy, unknown

W, C = Level.WARNING, Level.CRITICAL
EVERY: Final = MINUTE
CHANNELS: Final = ("ops", "mail")

SEEN: Final = {
    "fine": evaluation(),
    "between": evaluation(None, clear=False),
    "warning": evaluation(W),
    "critical": evaluation(C),
    "unknown": unknown(),
}
HOLDS: Final = {W: {"warning", "critical"}, C: {"critical"}, None: {"fine"}}


class AlertLife(RuleBasedStateMachine):
    """Cycles at random distances, and channels that take a message or do not."""

    @initialize(hold=st.integers(0, 4), keep=st.integers(0, 4), remind=st.integers(1, 9))
    def begin(self, hold: int, keep: int, remind: int) -> None:
        self.policy = policy(
            hold=hold * MINUTE,
            keep_firing_for=keep * MINUTE,
            routes={W: ("ops",), C: CHANNELS},
            remind=Remind({W: remind * MINUTE, C: remind * MINUTE}, at_most=2),
        )
        self.now = NOW
        self.alert = Alert(KEY)
        self.log: list[tuple[timedelta, str]] = []  # what every cycle saw, and how long after the one before
        self.known: dict[str, Notification] = {}
        self.told: dict[str, list[tuple[Occasion, Knowledge]]] = {name: [] for name in CHANNELS}
        self.fired: set[tuple[str, Level]] = set()
        self.is_muted = self.was_muted = False  # now, and in the last cycle

    @rule(seen=st.sampled_from(sorted(SEEN)), gap_s=st.integers(1, 240))
    def cycle(self, seen: str, gap_s: int) -> None:
        self.now += timedelta(seconds=gap_s)
        self.log.append((timedelta(seconds=gap_s), seen))
        answer: Evaluation = SEEN[seen]
        self.before = self.alert
        done = step(self.alert, answer, self.policy, now=self.now, every=EVERY)
        self.alert = done.alert
        kinds = {event.kind for event in done.events}
        self.resolved_now = EventKind.RESOLVED in kinds
        wishes = desire(
            done.alert,
            self.policy,
            self.known.values(),
            now=self.now,
            ended=done.closed.id if done.closed else "",
            hold=lambda _level: "a mute" if self.is_muted else "",
        )
        self.was_muted = self.is_muted
        self.known |= {each.channel: each for each in wishes.notifications}
        if done.alert.incident and done.alert.level:
            self.fired.add((done.alert.incident.id, done.alert.level))

    @rule()
    def a_mute_begins_or_ends(self) -> None:
        self.is_muted = not self.is_muted

    @precondition(lambda self: self.log)
    @rule(channel=st.sampled_from(CHANNELS))
    def deliver(self, channel: str) -> None:
        notification = self.known.get(channel)
        occasion = gap(notification.desired, notification.notified) if notification else None
        if notification and notification.desired and occasion:
            assert occasion is Occasion.RESOLVED or not self.was_muted
            self.told[channel].append((occasion, notification.desired))
            self.known[channel] = Notification(KEY, channel, "", notification.desired, notification.desired, self.now)

    def held(self, level: Level | None) -> timedelta | None:
        """How long `level` has held (None: has been clear), counted anew from the log; None if it does not."""
        total, between = timedelta(), timedelta()
        holding = False
        for distance, seen in reversed(self.log):
            if seen == "unknown":
                between += distance
                continue
            if seen not in HOLDS[level]:
                break
            if holding:
                total += between if between <= 3 * EVERY else timedelta()
            holding, between = True, distance
        return total if holding else None

    @property
    def is_open(self) -> bool:
        return self.alert.state in {State.FIRING, State.RECOVERING}

    @invariant()
    def state_and_incident_agree(self) -> None:
        if self.__dict__.get("log"):
            assert (self.alert.incident is not None) == self.is_open
            assert (self.alert.level is not None) == self.is_open

    @invariant()
    def never_fires_too_early(self) -> None:
        if self.__dict__.get("log") and self.is_open and self.before.incident is None:
            assert self.alert.level is not None
            held = self.held(self.alert.level)
            assert held is not None
            assert held >= self.policy.hold

    @invariant()
    def always_fires_in_time(self) -> None:
        for level in (W, C) if self.__dict__.get("log") else ():
            held = self.held(level)
            if held is not None and held >= self.policy.hold and self.log[-1][1] != "unknown":
                assert self.alert.state is State.FIRING
                assert self.alert.level is not None
                assert self.alert.level >= level

    @invariant()
    def never_resolves_too_early(self) -> None:
        if self.__dict__.get("log") and self.resolved_now:
            clear = self.held(None)
            assert clear is not None
            assert clear >= self.policy.keep_firing_for

    @invariant()
    def always_resolves_in_time(self) -> None:
        clear = self.held(None) if self.__dict__.get("log") else None
        if clear is not None and clear >= self.policy.keep_firing_for:
            assert self.alert.state is State.OK

    @invariant()
    def nothing_is_told_without_its_edge(self) -> None:
        for messages in self.__dict__.get("told", {}).values():
            for _, knowledge in messages:
                assert (knowledge.incident_id, knowledge.level) in self.fired

    @invariant()
    def no_level_is_told_twice_and_nothing_after_the_end(self) -> None:
        for messages in self.__dict__.get("told", {}).values():
            ended: set[str] = set()
            levels: dict[str, Level] = {}
            for occasion, knowledge in messages:
                assert knowledge.incident_id not in ended
                if occasion in {Occasion.FIRED, Occasion.ESCALATED}:
                    assert knowledge.level > levels.get(knowledge.incident_id, Level(1)) or occasion is Occasion.FIRED
                    levels[knowledge.incident_id] = knowledge.level
                if occasion is Occasion.RESOLVED:
                    ended.add(knowledge.incident_id)
                assert knowledge.reminders <= self.policy.remind.at_most

    def teardown(self) -> None:
        """Quiet and a working channel bring every channel to the truth, and then there is nothing left to say."""
        if not self.__dict__.get("log"):
            return
        for _ in range(10):
            self.cycle(seen="fine", gap_s=60)
            for channel in CHANNELS:
                self.deliver(channel)
        assert self.alert.state is State.OK
        for channel in CHANNELS:
            notification = self.known.get(channel)
            if notification is not None and notification.desired is not None:
                assert notification.desired.ended
                assert gap(notification.desired, notification.notified) is None
        for messages in self.told.values():
            assert not messages or messages[-1][1].ended


AlertLife.TestCase.settings = settings(stateful_step_count=40)
test_random_lives = AlertLife.TestCase
