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
        1000.0, 'input is stale when the last image is older [ms]', low=1.0, high=1e9
    )
    max_processing_ms: float = option(
        200.0, 'processing of one frame may take this long [ms]', low=0.1, high=1e6
    )


S = TypeVar('S', bound='StreamParameters')


@dataclass(frozen=True)
class StreamParameters(Options):
    """Parameters of the input and the lifecycle."""

    autostart: bool = option(True, 'configure and activate by itself', static=True)
    image_transport: str = option(
        'auto',
        'subscribe to Image or to CompressedImage; auto takes what is published, each image topic '
        'by itself',
        choices=TRANSPORTS,
        static=True,
    )
    reliability: str = option(
        'auto',
        'of image subscriptions; auto follows the publishers',
        choices=RELIABILITIES,
        static=True,
    )
    depth_source: str = option(
        'auto',
        'depth aligned by the driver, raw (registered here), or none; auto takes aligned '
        'where it is published',
        choices=DEPTH_SOURCES,
        static=True,
    )
    max_skew_ms: float = option(
        0.0,
        'depth may be this far from its image; 0: equal stamps, else half a period [ms]',
        low=0.0,
        high=1e4,
        static=True,
    )
    synchronizer: str = option(
        SYNCHRONIZERS[0],
        'pairs depth with images; message_filters, where installed: equal stamps, or within '
        'max_skew_ms',
        choices=SYNCHRONIZERS,
        static=True,
    )
    max_age_secs: float = option(
        1.0, 'drop frames older than this as stale; 0: never [s]', low=0.0, high=1e9
    )
    max_rate_hz: float = option(
        0.0, 'process at most this often; 0: no limit [Hz]', low=0.0, high=1e4
    )
    target_frame: str = option('', 'frame of positions; empty: the camera optical frame')
    static_transforms: tuple[str, ...] = option(
        (), 'transforms in addition to TF, each "parent child x y z qx qy qz qw"', static=True
    )
    strict: bool = option(False, 'end the process when a frame fails (tests)')
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
