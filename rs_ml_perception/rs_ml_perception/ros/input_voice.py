"""Says on the console what /diagnostics shows: nobody should wait before a silent node."""

from __future__ import annotations

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.impl.rcutils_logger import RcutilsLogger

SPOKEN_STATES = ('waiting_image', 'waiting_camera_info', 'stale')
"""Frames that are rejected are logged one by one by the worker."""

CONCERN = 'active, with a concern'

PATIENCE = 3
"""Reports in a row, a second apart, before trouble is worth a line: cameras take a moment."""


class InputVoice:
    """Logs once when the input stays in trouble, and once when it is well again."""

    def __init__(self, logger: RcutilsLogger) -> None:
        self._logger = logger
        self._state = ''
        self._reports = 0
        self._is_complaining = False

    def hear(self, status: DiagnosticStatus) -> None:
        """Note the input status of one report."""
        state = {pair.key: pair.value for pair in status.values}['state']
        if state == 'active' and status.level != DiagnosticStatus.OK:
            state = CONCERN
        self._reports = self._reports + 1 if state == self._state else 1
        self._state = state
        if state in (*SPOKEN_STATES, CONCERN) and self._reports == PATIENCE:
            self._logger.warning(status.message)
            self._is_complaining = True
        elif state == 'active' and self._is_complaining:
            self._logger.info('input is well again')
            self._is_complaining = False
