"""The loop of the task commands: inputs in, files and a summary out."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from rs_ml_perception.cli.task_options import ColorRunOptions, DepthRunOptions, RunOptions
from rs_ml_perception.cli.task_output import TaskOutput, TaskResult
from rs_ml_perception.core.errors import ConfigError, InputError, counted, printable
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.progress import progress, say
from rs_ml_perception.recordings.inputs import DepthFolder, read_inputs, resolve_inputs
from rs_ml_perception.recordings.messages import OnRejected
from rs_ml_perception.recordings.sources import InputImage, InputSource

RESULTS = 'results.jsonl'
ALL_REJECTED = 2
MOST_SHOWN = 20
"""Rejections reported one by one; a camera or a long recording may cause thousands."""


Task = Callable[[InputImage], TaskResult]


def run_task(
    args: argparse.Namespace,
    options: ColorRunOptions,
    prepare: Callable[[argparse.Namespace], Task],
    *,
    noun: str,
    keep_results: bool,
    needs_depth: bool = False,
    needs_up: bool = False,
    needs_camera: bool = False,
) -> int:
    """Run a task over all inputs.

    Args:
        args: parsed arguments, with the inputs; passed to prepare.
        options: flags of input and output.
        prepare: loads the model; called after the inputs have been found.
        noun: of one thing in the summary.
        keep_results: whether to write results.jsonl.
        needs_depth: whether frames without depth are useless.
        needs_up: whether frames of recordings must carry the direction of gravity.
        needs_camera: whether frames without intrinsics are useless.

    Returns:
        0 where at least one frame was processed, else 2.
    """
    sources = resolve_inputs(args.inputs, needs_up=needs_up, camera=options.camera)
    if needs_depth:
        _check_depth(sources, options)
    if needs_depth or needs_camera:
        _check_camera(sources, options)

    def read(on_rejected: OnRejected) -> Iterator[InputImage]:
        camera, depth_folder = _camera(options), _depth_folder(options)
        return read_inputs(
            sources, on_rejected=on_rejected, camera=camera, depth_folder=depth_folder
        )

    def prepare_colour(args: argparse.Namespace) -> Task:
        task = prepare(args)

        def checked(image: InputImage) -> TaskResult:
            if image.frame.rgb is None:
                raise InputError('there is no colour image, only depth')
            return task(image)

        return checked

    return run_images(
        args, options, sources, prepare_colour, read, noun=noun, keep_results=keep_results
    )


def run_images(
    args: argparse.Namespace,
    options: RunOptions,
    sources: Sequence[InputSource],
    prepare: Callable[[argparse.Namespace], Task],
    read: Callable[[OnRejected], Iterator[InputImage]],
    *,
    noun: str,
    keep_results: bool,
) -> int:
    """Run a task over images; see run_task.

    Args:
        args: parsed arguments; passed to prepare.
        options: flags of input and output.
        sources: of the images; results never overwrite them.
        prepare: loads the model.
        read: yields the images; its argument is called for each unusable one.
        noun: of one thing in the summary.
        keep_results: whether to write results.jsonl.
    """
    for source in sources:
        for note in source.notes:
            print(f'rs-ml: {source.name}: {note}', file=sys.stderr)
    task = prepare(args)
    output = TaskOutput(options, _input_files(args, options, sources))
    run = _Run(options, noun, output)
    try:
        with _results_file(options.out, keep_results) as results, output:
            images = islice(read(run.reject), options.max_frames or None)
            # Lines of JSON show the progress themselves.
            shown = images if options.json else progress(images, _count(sources, options))
            for image in shown:
                run.process(image, task, results)
    except KeyboardInterrupt:  # this is how a webcam run ends
        print('interrupted', file=sys.stderr)
    run.print_summary()
    return 0 if run.processed else ALL_REJECTED


def _input_files(
    args: argparse.Namespace, options: RunOptions, sources: Sequence[InputSource]
) -> frozenset[Path]:
    """Files that are read and must not be replaced: images, videos, measured depth."""
    files = [source.picture for source in sources if source.picture]
    files += [Path(text) for text in args.inputs]
    if isinstance(options, DepthRunOptions) and options.depth and options.depth.is_dir():
        files += options.depth.iterdir()
    return frozenset(file.resolve() for file in files)


class _Run:
    def __init__(self, options: RunOptions, noun: str, output: TaskOutput) -> None:
        self._output = output
        self._options = options
        self._noun = noun
        self._found = 0
        self._seconds = 0.0
        self._rejected: list[str] = []
        self.processed = 0

    def process(self, image: InputImage, task: Task, results: TextIO | None) -> None:
        """Run the task on one image; write and print the result, or count a rejection."""
        start = time.perf_counter()
        try:
            result = task(image)
            seconds = time.perf_counter() - start
            shown = self._output.shown(image)
        except InputError as error:
            self.reject(image.name, error)
            return
        except Exception as error:  # costs this frame only
            if os.environ.get('RS_ML_DEBUG'):
                raise
            self.reject(image.name, InputError(f'unexpected {type(error).__name__}: {error}'))
            return
        self._seconds += seconds
        self.processed += 1
        self._found += result.count
        self._output.write(image, result, shown)
        line = json.dumps({'image': image.name, **result.fields})
        if results is not None:
            print(line, file=results)
        if self._options.json:
            print(line, flush=True)

    def reject(self, name: str, error: InputError) -> None:
        self._rejected.append(name)
        if len(self._rejected) <= MOST_SHOWN:
            say(f'rs-ml: rejected {printable(name)}: {error}')
        if len(self._rejected) == MOST_SHOWN:
            say('rs-ml: further rejections are only counted')

    def print_summary(self) -> None:
        """Print one line, to stderr if stdout carries JSON."""
        text = f'{counted(self.processed, "image")}, {counted(self._found, self._noun)}'
        if self.processed:
            text += f', {1e3 * self._seconds / self.processed:.1f} ms each'
        if self._rejected:
            names = [printable(name) for name in dict.fromkeys(self._rejected)]
            shown, more = ', '.join(names[:5]), ', ...' if len(names) > 5 else ''
            text += f', {len(self._rejected)} rejected ({shown}{more})'
        where = self._options.out if self._options.video is None else self._options.video
        print(
            f'{text}, results in {where}',
            file=sys.stderr if self._options.json else None,
        )


def _count(sources: Sequence[InputSource], options: RunOptions) -> int | None:
    """Number of the images; None if a source does not say how many it has."""
    if any(source.picture is None for source in sources):
        return options.max_frames or None
    return min(len(sources), options.max_frames or len(sources))


def _results_file(folder: Path, is_wanted: bool) -> Any:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / RESULTS).open('w', encoding='utf-8') if is_wanted else nullcontext()
    except OSError as error:
        raise ConfigError(f'{folder} cannot be written ({error}): pass another --out') from error


def _camera(options: ColorRunOptions) -> CameraModel | None:
    if options.intrinsics is None:
        return None
    fx, fy, cx, cy = options.intrinsics
    # read_inputs sets the size of each image.
    return CameraModel(width=1, height=1, fx=fx, fy=fy, cx=cx, cy=cy)


def _check_depth(sources: Sequence[InputSource], options: ColorRunOptions) -> None:
    """Fail once for a problem that every image would have."""
    if any(source.brings_depth for source in sources):
        return
    if not isinstance(options, DepthRunOptions) or options.depth is None:
        raise ConfigError('there is no depth: pass a recording with depth, or --depth DIR')


def _check_camera(sources: Sequence[InputSource], options: ColorRunOptions) -> None:
    if options.intrinsics is None and not any(source.brings_depth for source in sources):
        raise ConfigError('intrinsics of the images are unknown: pass --intrinsics fx,fy,cx,cy')


def _depth_folder(options: ColorRunOptions) -> DepthFolder | None:
    if not isinstance(options, DepthRunOptions) or options.depth is None:
        return None
    if not options.depth.is_dir():
        raise InputError(f'depth folder {options.depth} does not exist')
    return DepthFolder(options.depth, options.depth_unit)
