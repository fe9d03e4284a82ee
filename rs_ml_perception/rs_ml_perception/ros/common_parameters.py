"""The parameters of every node."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from rs_ml_perception.core.options import Options, option
from rs_ml_perception.ros.input.message_filters_synchronizer import SYNCHRONIZERS
from rs_ml_perception.ros.input.topics import DEPTH_SOURCES, TRANSPORTS, StreamOptions
from rs_ml_perception.ros.qos import RELIABILITIES
from rs_ml_perception.ros.worker import Limits


@dataclass(frozen=True)
class DiagnosticsParameters(Options):
    """Limits of /diagnostics."""

    max_image_age_ms: float = option(
        1000.0,
        'maximum age of the last image; the input is stale beyond',
        unit='ms',
        low=1.0,
        high=1e9,
    )
    max_processing_ms: float = option(
        200.0, 'maximum processing time of a frame', unit='ms', low=0.1, high=1e6
    )


S = TypeVar('S', bound='StreamParameters')


@dataclass(frozen=True)
class StreamParameters(Options):
    """Parameters of the input and the lifecycle."""

    autostart: bool = option(True, 'configure and activate at the start', static=True)
    image_transport: str = option(
        'auto',
        'image messages to subscribe to; auto: as published, per topic',
        choices=TRANSPORTS,
        static=True,
    )
    reliability: str = option(
        'auto',
        'reliability of image subscriptions; auto follows the publishers',
        choices=RELIABILITIES,
        static=True,
    )
    depth_source: str = option(
        'auto',
        'depth aligned by the driver, raw depth (registered here), or none; auto prefers aligned',
        choices=DEPTH_SOURCES,
        static=True,
    )
    max_skew_ms: float = option(
        0.0,
        'maximum time between depth and image; 0: equal stamps, else half a period',
        unit='ms',
        low=0.0,
        high=1e4,
        static=True,
    )
    synchronizer: str = option(
        SYNCHRONIZERS[0],
        'synchronizer of depth and images; message_filters, if installed, pairs equal stamps, or '
        'stamps within max_skew_ms',
        choices=SYNCHRONIZERS,
        static=True,
    )
    max_age_secs: float = option(
        1.0,
        'maximum age; older frames are dropped as stale; 0: no limit',
        unit='s',
        low=0.0,
        high=1e9,
    )
    max_rate_hz: float = option(
        0.0, 'maximum rate of processing; 0: no limit', unit='Hz', low=0.0, high=1e4
    )
    target_frame: str = option(
        '', 'TF frame of positions; empty: optical frame of the colour camera'
    )
    static_transforms: tuple[str, ...] = option(
        (), 'transforms in addition to TF, each "parent child x y z qx qy qz qw"', static=True
    )
    strict: bool = option(False, 'end the process when a frame fails (for tests)')
    diagnostics: DiagnosticsParameters = field(default_factory=DiagnosticsParameters)

    def with_threads(self: S, threads: int) -> S:
        """The same with a number of inference threads, if the node has a network."""
        return self

    @property
    def streams(self) -> StreamOptions:
        return StreamOptions(
            self.reliability, self.image_transport, self.max_skew_ms, self.synchronizer
        )

    @property
    def limits(self) -> Limits:
        return Limits(self.max_age_secs, self.max_rate_hz)
