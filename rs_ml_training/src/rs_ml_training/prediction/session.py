"""Runs a network over sources and writes the results, reading and writing in parallel."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rs_ml_perception.core.options import Options, option

from rs_ml_training.data.output_folder import write_file
from rs_ml_training.data.sample import Sample
from rs_ml_training.prediction import rendering
from rs_ml_training.prediction.batching import Stopwatch, batched, prefetched
from rs_ml_training.prediction.predictor import Predictor
from rs_ml_training.prediction.rendering import Files, SteadyRange, Style
from rs_ml_training.prediction.result_files import Names, Sheets, Videos, write_files
from rs_ml_training.prediction.results import BoxPrediction, Prediction
from rs_ml_training.prediction.sources import Source

RESULTS = 'results.jsonl'
_WRITERS = 3
_PENDING = 16
"""Predictions that wait to be written, at most; each holds an image."""

Progress = Callable[[Iterable[Sample], int | None], Iterable[Sample]]


@dataclass(frozen=True)
class Totals:
    """Counts and times of a session.

    Attributes:
        images: how many were predicted.
        seconds_per_image: in the network and around it, without reading and writing.
        wall_s: seconds of everything.
    """

    images: int
    seconds_per_image: float
    wall_s: float


@dataclass(frozen=True)
class SessionOptions(Options):
    """How a session runs."""

    batch_size: int = option(1, 'images a step', low=1, group='network')
    frames: bool = option(False, 'files of every frame of a video too', group='video')
    sheet_rows: int = option(0, 'strips on a sheet, 0: no sheets', low=0, group='output')
    every: int = option(1, 'only each n-th strip comes on a sheet', low=1, group='output')


class Session:
    """Predicts sources one after the other into a folder.

    Args:
        predictor: runs the network.
        style: of the files.
        out: folder that exists.
        options: how it runs.
        progress: wraps samples and their number, as a progress bar does.
    """

    def __init__(
        self,
        predictor: Predictor,
        style: Style,
        out: Path,
        options: SessionOptions | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._predictor, self._style, self._out = predictor, style, out
        self._options = options or SessionOptions()
        self._progress = progress or (lambda samples, _: samples)
        self._names = Names()
        self._sheets = Sheets(out, self._options.sheet_rows, self._options.every)
        self._lines: list[str] = []
        self._watch = Stopwatch()

    def run(self, sources: Sequence[Source]) -> Totals:
        """Predict everything.

        Raises:
            InputError: a file is damaged or cannot be written; complete results stay.
        """
        started = time.perf_counter()
        try:
            for source in sources:
                self._run_source(source)
        finally:
            self._finish()
        each_s, wall_s = self._watch.seconds_per_picture, time.perf_counter() - started
        return Totals(self._watch.pictures, each_s, wall_s)

    def _finish(self) -> None:
        """Write the files that join several samples."""
        self._sheets.finish()
        if self._lines:
            write_file(self._out / RESULTS, ''.join(self._lines).encode(), replace=True)

    def _run_source(self, source: Source) -> None:
        steady = SteadyRange(self._style) if source.fps else None
        with ExitStack() as stack:
            videos = None
            if source.fps:
                path = self._out / self._names.unique(Path(source.name).stem)
                videos = stack.enter_context(Videos(path, source.fps))
            pool = stack.enter_context(ThreadPoolExecutor(_WRITERS))
            pending: deque[Future[Files]] = deque()
            samples = self._progress(prefetched(source.samples()), source.count)
            for sample, prediction in self._predicted(samples):
                style = steady(prediction) if steady else self._style
                stem = self._stem(sample, source)
                pending.append(pool.submit(self._written, sample, prediction, style, stem))
                if len(pending) >= _PENDING:
                    self._collect(pending.popleft(), videos)
            while pending:
                self._collect(pending.popleft(), videos)

    def _predicted(self, samples: Iterable[Sample]) -> Iterator[tuple[Sample, Prediction]]:
        for batch in batched(samples, self._options.batch_size):
            with self._watch.lap(len(batch)):
                predictions = self._predictor.batch(batch)
            for sample, prediction in zip(batch, predictions, strict=True):
                self._note(sample, prediction)
                yield sample, prediction

    def _note(self, sample: Sample, prediction: Prediction) -> None:
        if isinstance(prediction, BoxPrediction):
            found = rendering.detection_fields(prediction, self._style.labels)
            self._lines.append(json.dumps({'image': sample.name, 'detections': found}) + '\n')

    def _stem(self, sample: Sample, source: Source) -> str | None:
        wanted = not source.fps or self._options.frames
        return self._names.unique(sample.name) if wanted else None

    def _written(
        self, sample: Sample, prediction: Prediction, style: Style, stem: str | None
    ) -> Files:
        """In a thread: the files of a sample, written if they have a name."""
        files = rendering.files_of(sample, prediction, style)
        if stem is not None:
            write_files(self._out, stem, files)
        return files

    def _collect(self, future: Future[Files], videos: Videos | None) -> None:
        """Add to the files that join several samples, in their order."""
        files = future.result()
        strip = files.get(rendering.STRIP)
        if isinstance(strip, np.ndarray):
            self._sheets.add(strip)
        if videos is not None:
            videos.write(files)
