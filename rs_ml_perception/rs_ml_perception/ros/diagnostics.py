"""A node's state for /diagnostics (REP-107)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from rs_ml_perception.core.errors import printable, shortened
from rs_ml_perception.core.streams.counters import FrameCounts, Missed
from rs_ml_perception.core.streams.partner_counts import PartnerCounters, PartnerCounts

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR

OVER_BUDGET_ERROR_SECS = 1.0
"""Processing over budget is a WARN, and after this long without a break an ERROR."""


@dataclass(frozen=True)
class InputState:
    """The state of a node's input.

    Attributes:
        is_active: whether the node is active.
        rejected: why the latest frame was rejected, '' for an accepted one.
        waits_for_camera_info: whether images arrive without intrinsics.
        no_publisher: a sentence with the remedy if nobody publishes the primary stream, else ''.
        image_age_ms: time since the last image arrived; NaN before the first.
        max_image_age_ms: an older last image makes the input stale.
        problems: QoS or type mismatches of its topics, with the remedy.
        incomplete: number of results published without a part that could not be made.
        primary: name for messages of the primary stream.
        partner: name for messages they are paired with.
        partners: counts of the pairing.
        notes: faults that do not stop the node (extrinsics, target_frame).
        topics: role -> absolute name.
    """

    is_active: bool
    max_image_age_ms: float
    rejected: str = ''
    waits_for_camera_info: bool = False
    image_age_ms: float = math.nan
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    topics: Mapping[str, str] = field(default_factory=dict)
    partners: PartnerCounts = field(default_factory=lambda: PartnerCounters().snapshot(waiting=0))
    incomplete: int = 0
    no_publisher: str = ''
    primary: str = 'image'
    partner: str = 'depth'

    def __post_init__(self) -> None:
        object.__setattr__(self, 'notes', tuple(note for note in self.notes if note))


def input_status(name: str, state: InputState) -> DiagnosticStatus:
    """One of rejected, waiting_camera_info, waiting_image, stale, active, inactive."""
    level, word, message = _classify_input(state)
    values = {
        'state': word,
        'image_age_ms': _number(state.image_age_ms),
        **_partner_values(state),
        'incomplete': str(state.incomplete),
        **{f'topic {role}': topic for role, topic in state.topics.items()},
        **{f'problem {i}': text for i, text in enumerate((*state.problems, *state.notes))},
    }
    return _status(f'{name}: input', level, message, values)


def _classify_input(state: InputState) -> tuple[bytes, str, str]:
    if not state.is_active:
        return OK, 'inactive', 'inactive'
    no_publisher = f'; {state.no_publisher}' if state.no_publisher else ''
    why = f': {state.problems[0]}' if state.problems else ''
    if math.isnan(state.image_age_ms):
        level = ERROR if why else WARN
        return (
            level,
            'waiting_image',
            f'waiting_image{why or _nothing_on(state.topics)}{no_publisher}',
        )
    rejected = f'rejected: {state.rejected}' if state.rejected else ''
    if state.image_age_ms > state.max_image_age_ms:
        last = f'stale: last {state.primary} {state.image_age_ms:.0f} ms ago'
        return (
            ERROR,
            'stale',
            f'{last}{why}{no_publisher}' + (f'; it was {rejected}' * bool(rejected)),
        )
    if rejected:
        return ERROR, 'rejected', rejected
    if state.waits_for_camera_info:
        word = 'waiting_camera_info'
        return WARN, word, f'{word}{why or ": images come without intrinsics"}'
    for concern in (*state.problems, *state.notes):
        return WARN, 'active', concern
    return OK, 'active', 'active'


def _partner_values(state: InputState) -> dict[str, str]:
    partner, counts = state.partner, state.partners
    return {
        f'without_{partner}': str(counts.without),
        f'{partner}_received': str(counts.received),
        **{f'{partner}_dropped_{why.value}': str(n) for why, n in counts.dropped.items()},
        f'{partner}_offset_ms': _number(1e3 * counts.offset_secs),
    }


def _nothing_on(topics: Mapping[str, str]) -> str:
    return f': nothing on {", ".join(topics.values())} yet'


def processing_status(
    name: str,
    counts: FrameCounts,
    *,
    budget_ms: float,
    over_budget_secs: float,
    failure: str,
    missed: Missed,
    readings: Mapping[str, float] = MappingProxyType({}),
) -> DiagnosticStatus:
    """Counts and times; WARN over budget, ERROR if that lasts or the last frame failed.

    Args:
        name: of the node.
        counts: outcomes of its frames.
        budget_ms: largest processing time.
        over_budget_secs: how long every frame has exceeded it.
        failure: the exception of the latest frame, '' after a success.
        missed: messages of the primary stream that never reached the node.
        readings: numbers about the latest result, by name.
    """
    processing_ms = sum(counts.stage_ms.values())
    level, message = OK, f'{counts.fps:.1f} results a second'
    if over_budget_secs > 0:
        level = ERROR if over_budget_secs > OVER_BUDGET_ERROR_SECS else WARN
        message = f'processing takes {processing_ms:.0f} ms, the budget is {budget_ms:.0f} ms'
    if failure:
        level, message = ERROR, f'last frame failed: {failure}'
    values = {
        'received': str(counts.received),
        'published': str(counts.published),
        **{f'dropped {reason}': str(count) for reason, count in counts.dropped.items()},
        'in_flight': str(counts.in_flight),
        'lost_in_transport': str(missed.lost),
        'overwritten': 'not counted' if missed.overwritten is None else str(missed.overwritten),
        'fps': _number(counts.fps),
        'latency_p50_ms': _number(counts.latency_ms[0]),
        'latency_p95_ms': _number(counts.latency_ms[1]),
        'age_p50_ms': _number(counts.age_ms[0]),
        'age_p95_ms': _number(counts.age_ms[1]),
        **{f'{stage}_ms': _number(ms) for stage, ms in counts.stage_ms.items()},
        **{name: _number(value, '.4g') for name, value in readings.items()},
        'last_drop': counts.last_detail,
    }
    return _status(f'{name}: processing', level, message, values)


def model_status(
    name: str, *, failure: str, facts: Mapping[str, str], concerns: Sequence[str] = ()
) -> DiagnosticStatus:
    """The model a node is configured with, or why it is not.

    Args:
        name: of the node.
        failure: why it could not be configured, '' if it could.
        facts: about the model, which really runs.
        concerns: differences to what was asked for; a WARN.
    """
    if failure:
        return _status(f'{name}: model', ERROR, failure, facts)
    if concerns:
        values = {**facts, **{f'concern {i}': text for i, text in enumerate(concerns)}}
        return _status(f'{name}: model', WARN, concerns[0], values)
    return _status(f'{name}: model', OK, facts.get('model', '') or 'not configured', facts)


def diagnostic_array(statuses: list[DiagnosticStatus], *, stamp: Any) -> DiagnosticArray:
    """The message for /diagnostics."""
    array = DiagnosticArray(status=statuses)
    array.header.stamp = stamp
    return array


def _status(name: str, level: bytes, message: str, values: Mapping[str, str]) -> DiagnosticStatus:
    pairs = [KeyValue(key=key, value=_shown(value)) for key, value in values.items()]
    return DiagnosticStatus(
        level=level, name=name, message=_shown(message), hardware_id='rs_ml', values=pairs
    )


def _shown(text: str) -> str:
    """The text without control characters and not too long: it may hold names from messages."""
    return printable(shortened(text))


def _number(value: float, form: str = '.1f') -> str:
    """Fixed point, so that tools can sort and plot it; '-' for unknown."""
    return '-' if math.isnan(value) else f'{value:{form}}'
