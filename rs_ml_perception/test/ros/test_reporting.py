"""A bad input is logged once, and its recovery once."""

import pytest

pytest.importorskip('rclpy', reason='needs a sourced ROS 2')
pytest.importorskip('rs_ml_msgs.msg._frame_report', reason='needs a built rs_ml_msgs')

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from rs_ml_perception.ros.reporting import ConsoleAlerts

pytestmark = pytest.mark.ros


class Lines:
    """Collects log lines."""

    def __init__(self):
        self.said = []

    def warning(self, text):
        self.said.append(('warning', text))

    def info(self, text):
        self.said.append(('info', text))


@pytest.mark.parametrize(
    ('states', 'expected'),
    [
        ('', []),
        ('active active active active', []),
        ('waiting_image waiting_image active', []),
        ('waiting_image ' * 5, [('warning', 'waiting_image!')]),
        ('inactive ' * 5, []),
        ('rejected ' * 5, []),
        ('active+offset ' * 2 + 'active', []),
        (
            'active+offset ' * 5 + 'active',
            [('warning', 'offset!'), ('info', 'input has recovered')],
        ),
        (
            'stale ' * 4 + 'active active',
            [('warning', 'stale!'), ('info', 'input has recovered')],
        ),
        (
            'waiting_image ' * 3 + 'waiting_camera_info ' * 3 + 'active',
            [
                ('warning', 'waiting_image!'),
                ('warning', 'waiting_camera_info!'),
                ('info', 'input has recovered'),
            ],
        ),
    ],
)
def test_an_alert_is_logged_once_and_not_too_soon(states, expected):
    lines = Lines()
    alerts = ConsoleAlerts(lines)
    for state in states.split():
        word, _, concern = state.partition('+')
        level = DiagnosticStatus.WARN if concern else DiagnosticStatus.OK
        values = [KeyValue(key='state', value=word)]
        alerts.note(DiagnosticStatus(level=level, message=f'{concern or word}!', values=values))
    assert lines.said == expected
