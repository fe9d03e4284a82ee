"""The input status in /diagnostics, for every state."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs.msg._frame_report', reason='needs a built rs_ml_msgs')

from diagnostic_msgs.msg import DiagnosticStatus
from rs_ml_perception.core.streams.counters import FrameCounters, Missed
from rs_ml_perception.core.streams.partner_counts import Arrival, PartnerCounters
from rs_ml_perception.ros.diagnostics import (
    InputState,
    input_status,
    model_status,
    processing_status,
)

pytestmark = pytest.mark.ros

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
NOBODY = 'nobody publishes /detections: run detection_node'
WELL = InputState(
    is_active=True,
    rejected='',
    waits_for_camera_info=False,
    image_age_ms=10.0,
    max_image_age_ms=1000.0,
    problems=(),
    notes=(),
    topics={'primary': '/image', 'camera_info': '/info'},
    partners=PartnerCounters().snapshot(waiting=0),
)


@pytest.mark.parametrize(
    ('changes', 'level', 'state', 'words'),
    [
        ({}, OK, 'active', 'active'),
        ({'is_active': False, 'rejected': 'x'}, OK, 'inactive', 'inactive'),
        ({'notes': ('no depth', 'more')}, WARN, 'active', 'no depth'),
        ({'problems': ('QoS',), 'notes': ('no depth',)}, WARN, 'active', 'QoS'),
        ({'image_age_ms': math.nan}, WARN, 'waiting_image', 'nothing on /image, /info yet'),
        ({'image_age_ms': math.nan, 'problems': ('QoS',)}, ERROR, 'waiting_image', 'QoS'),
        ({'image_age_ms': math.nan, 'no_publisher': NOBODY}, WARN, 'waiting_image', NOBODY),
        ({'rejected': 'bad'}, ERROR, 'rejected', 'rejected: bad'),
        ({'image_age_ms': 1e4}, ERROR, 'stale', 'last image 10000 ms ago'),
        ({'image_age_ms': 1e4, 'rejected': 'bad'}, ERROR, 'stale', 'it was rejected: bad'),
        ({'image_age_ms': 1e4, 'no_publisher': NOBODY}, ERROR, 'stale', NOBODY),
        ({'image_age_ms': 1e4, 'primary': 'detections'}, ERROR, 'stale', 'last detections 10000'),
        ({'waits_for_camera_info': True}, WARN, 'waiting_camera_info', 'without intrinsics'),
        ({'waits_for_camera_info': True, 'rejected': 'bad'}, ERROR, 'rejected', 'bad'),
    ],
)
def test_states(changes, level, state, words):
    status = input_status('node', replace(WELL, **changes))
    values = {pair.key: pair.value for pair in status.values}
    assert (status.level, values['state']) == (level, state)
    assert words in status.message


def test_the_counts_of_partners():
    counters = PartnerCounters()
    for _ in range(3):
        counters.receive(0.0, Arrival(4.3, is_far=True))
        counters.drop(is_far=True, is_late=False)
    counters.miss(math.nan)
    state = replace(WELL, partners=counters.snapshot(waiting=0), partner='infrared')
    values = {pair.key: pair.value for pair in input_status('node', state).values}
    assert values['without_infrared'] == '1'
    assert (values['infrared_received'], values['infrared_dropped_far']) == ('3', '3')
    assert (values['infrared_dropped_late'], values['infrared_dropped_unused']) == ('0', '0')
    assert values['infrared_offset_ms'] == '4300.0'


@pytest.mark.parametrize(
    ('readings', 'shown'),
    [
        ({}, {}),
        ({'clamped': 0.12345, 'noise_px': math.nan}, {'clamped': '0.1235', 'noise_px': '-'}),
    ],
)
def test_readings_of_the_latest_result(readings, shown):
    status = processing_status(
        'node',
        FrameCounters().snapshot(),
        budget_ms=100.0,
        over_budget_secs=0.0,
        failure='',
        missed=Missed(),
        readings=readings,
    )
    values = {pair.key: pair.value for pair in status.values}
    assert {name: values[name] for name in ('clamped', 'noise_px') if name in values} == shown


@pytest.mark.parametrize(
    ('failure', 'facts', 'concerns', 'level', 'message'),
    [
        ('', {}, (), OK, 'not configured'),
        ('', {'model': 'm 1'}, (), OK, 'm 1'),
        ('', {'model': 'm 1'}, ('gpu was asked for', 'more'), WARN, 'gpu was asked for'),
        ('cannot configure', {'model': 'm 1'}, ('more',), ERROR, 'cannot configure'),
    ],
)
def test_the_status_of_the_model(failure, facts, concerns, level, message):
    status = model_status('node', failure=failure, facts=facts, concerns=concerns)
    assert (status.level, status.message) == (level, message)
    values = {pair.key: pair.value for pair in status.values}
    said = dict(zip(('concern 0', 'concern 1'), concerns, strict=False)) if not failure else {}
    assert values == {**facts, **said}
