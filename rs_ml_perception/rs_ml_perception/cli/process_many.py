"""Many recordings, each processed by a process of its own, here or on a Ray cluster.

A recording is processed as `rs-ml process` does for it alone, so the bytes are the same. Its
result appears when it is complete, which is how a later run recognizes it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import ConfigError, counted
from rs_ml_perception.core.progress import bar
from rs_ml_perception.core.tether import tethered
from rs_ml_perception.recordings.writer import check_apart, require_room

DONE, DAMAGED, FAILED, SKIPPED = 'done', 'damaged', 'FAILED', 'finished before'
_UNFINISHED = '.unfinished'
_METADATA = 'metadata.yaml'
_COMMAND = 'rs_ml_perception.cli.main'


@dataclass(frozen=True)
class Job:
    """One recording.

    Attributes:
        recording: to process.
        out: rosbag2 directory of the result.
        flags: further words of `rs-ml process`.
        is_replaced: whether an existing result is replaced.
    """

    recording: Path
    out: Path
    flags: tuple[str, ...]
    is_replaced: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a recording.

    Attributes:
        job: the recording.
        status: DONE, DAMAGED (results up to the damage are kept), FAILED or SKIPPED.
        seconds: wall time.
        note: numbers of published results, or the reason of a failure.
    """

    job: Job
    status: str
    seconds: float = 0.0
    note: str = ''


def make_jobs(
    recordings: Sequence[Path], out: Path, flags: Sequence[str], *, is_replaced: bool
) -> list[Job]:
    """Give each recording a directory in `out`, called like it.

    Recordings of the same name get that of their folder, too.

    Raises:
        ConfigError: two would get the same name, or a result would replace a recording.
    """
    paths = [path.resolve() for path in recordings]
    stems = [path.name if path.is_dir() else path.stem for path in paths]
    names = [
        stem if stems.count(stem) == 1 else f'{path.parent.name}_{stem}'
        for path, stem in zip(paths, stems, strict=True)
    ]
    for name, path in zip(names, paths, strict=True):
        if names.count(name) > 1:
            raise ConfigError(f'{path} and another recording would both become {out / name}')
        for recording in paths:
            check_apart(recording, out / name)
    return [
        Job(path, out.resolve() / name, tuple(flags), is_replaced)
        for path, name in zip(paths, names, strict=True)
    ]


def run_job(job: Job) -> Outcome:
    """Process one recording; failures of any kind are its outcome."""
    if (job.out / _METADATA).is_file() and not job.is_replaced:
        return Outcome(job, SKIPPED)
    started = time.perf_counter()
    try:
        require_room(job.out, overwrite=job.is_replaced)
        status, note = _processed(job)
    except (ConfigError, OSError) as error:
        status, note = FAILED, str(error)
    return Outcome(job, status, time.perf_counter() - started, note)


def _processed(job: Job) -> tuple[str, str]:
    """Status and note of a new process; complete results move to their place."""
    partial = job.out.parent / _UNFINISHED / job.out.name
    partial.parent.mkdir(parents=True, exist_ok=True)
    words = ['process', str(job.recording), '--out', str(partial), '--overwrite', *job.flags]
    command = tethered(_COMMAND, words)
    done = _run(command)
    is_damaged = done.returncode == 1 and _published(done.stdout) > 0
    if done.returncode and not is_damaged:
        shutil.rmtree(partial, ignore_errors=True)
        return FAILED, _reason(done)
    if job.out.exists():
        shutil.rmtree(job.out)
    partial.rename(job.out)
    if is_damaged:
        return DAMAGED, _reason(done)
    return DONE, counted(_published(done.stdout), 'result')


_children: set[subprocess.Popen[str]] = set()


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True
    ) as child:
        _children.add(child)
        try:
            out, err = child.communicate()
        finally:
            _children.discard(child)
    return subprocess.CompletedProcess(command, child.returncode, out, err)


def _published(text: str) -> int:
    """Sum of the lines `NODE: COUNT published`."""
    lines = [line.split() for line in text.splitlines() if line.endswith(' published')]
    return sum(int(words[1]) for words in lines)


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    said = done.stderr.strip() or done.stdout.strip()
    if done.returncode < 0:
        return f'killed by signal {-done.returncode}'
    return said.splitlines()[-1].removeprefix('rs-ml: ') if said else f'status {done.returncode}'


def run_here(jobs: Sequence[Job], at_once: int) -> Iterator[Outcome]:
    """Run jobs on this computer, so many at once; outcomes come as they are ready."""
    with ThreadPoolExecutor(at_once) as pool:
        futures = [pool.submit(run_job, job) for job in jobs]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in list(_children):  # a signal to this process alone does not reach them
                child.terminate()
            raise


def run_on_ray(jobs: Sequence[Job], address: str) -> Iterator[Outcome]:
    """Run jobs on a Ray cluster, whose computers see the same paths and have this package.

    Args:
        jobs: to run.
        address: of the cluster, such as auto or ray://head:10001.

    Raises:
        ConfigError: Ray is not installed, or there is no cluster.
    """
    try:
        import ray
    except ImportError as error:
        raise ConfigError(
            f'--ray needs Ray: {sys.executable} -m pip install "rs_ml_perception[ray]"'
        ) from error
    try:
        ray.init(address=address, log_to_driver=False)
    except Exception as error:  # of various kinds
        raise ConfigError(f'there is no Ray cluster at {address}: {error}') from error
    try:
        remote: Any = ray.remote(run_job)
        waiting = {remote.remote(job): job for job in jobs}
        while waiting:
            (ready,), _ = ray.wait(list(waiting))
            job = waiting.pop(ready)
            try:
                yield ray.get(ready)
            except ray.exceptions.RayError as error:
                yield Outcome(job, FAILED, note=str(error).splitlines()[0])
    finally:
        ray.shutdown()


def process_many(jobs: Sequence[Job], *, at_once: int, ray_address: str = '') -> list[Outcome]:
    """Process recordings, showing a bar; outcomes in the order of the jobs."""
    outcomes: dict[Job, Outcome] = {}
    running = run_on_ray(jobs, ray_address) if ray_address else run_here(jobs, at_once)
    with bar(len(jobs), 'recording') as step:
        for outcome in running:
            outcomes[outcome.job] = outcome
            step(1)
    for folder in {job.out.parent / _UNFINISHED for job in jobs}:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    return [outcomes[job] for job in jobs]


def table(outcomes: Sequence[Outcome]) -> str:
    """Lines of recording, status, seconds and note, below a head line."""
    rows = [('recording', 'status', 'time', 'note')]
    for outcome in outcomes:
        time_text = f'{outcome.seconds:.1f} s' if outcome.seconds else ''
        rows.append((outcome.job.out.name, outcome.status, time_text, outcome.note))
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = [
        f'{name:{widths[0]}}  {status:{widths[1]}}  {seconds:>{widths[2]}}  {note}'.rstrip()
        for name, status, seconds, note in rows
    ]
    return '\n'.join(lines)
