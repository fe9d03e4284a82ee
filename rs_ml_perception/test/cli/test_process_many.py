"""rs-ml process for several recordings."""

from __future__ import annotations

from pathlib import Path

import pytest
from rs_ml_perception.cli import process_many
from rs_ml_perception.cli.main import main
from rs_ml_perception.cli.process_many import Job, Outcome, make_jobs, run_here, run_job, table
from rs_ml_perception.core.errors import ConfigError


@pytest.mark.parametrize(
    ('paths', 'names'),
    [
        (['/a/x', '/a/y.mcap'], ['x', 'y']),
        (['/a/bag', '/b/bag', '/b/c'], ['a_bag', 'b_bag', 'c']),
    ],
)
def test_names_of_results(paths, names):
    jobs = make_jobs([Path(p) for p in paths], Path('/out'), ['--pictures'], is_replaced=False)
    assert [job.out for job in jobs] == [Path('/out') / name for name in names]
    assert {job.flags for job in jobs} == {('--pictures',)}


def test_the_same_recording_twice():
    with pytest.raises(ConfigError, match='/a/x and another recording would both become'):
        make_jobs([Path('/a/x'), Path('/a/x')], Path('/out'), [], is_replaced=False)


def test_folders_keep_the_dots_of_their_names(tmp_path):
    for name in ('run_1.5', 'room.day', 'room.night'):
        (tmp_path / name).mkdir()
    jobs = make_jobs(sorted(tmp_path.iterdir()), Path('/out'), [], is_replaced=False)
    assert [job.out.name for job in jobs] == ['room.day', 'room.night', 'run_1.5']


@pytest.mark.parametrize(
    'recordings', [('bags/room', 'bags/hall'), ('bags/room/a.mcap', 'bags/hall/room.mcap')]
)
@pytest.mark.parametrize('is_replaced', [False, True])
def test_no_result_replaces_a_recording(tmp_path, recordings, is_replaced):
    for name in ('room', 'hall'):
        (tmp_path / 'bags' / name).mkdir(parents=True)
    paths = [tmp_path / name for name in recordings]
    with pytest.raises(ConfigError, match='holds the recording that is read'):
        make_jobs(paths, tmp_path / 'bags', [], is_replaced=is_replaced)


@pytest.mark.parametrize('is_replaced', [False, True])
def test_other_folders_are_never_replaced(tmp_path, is_replaced):
    kept = tmp_path / 'out' / 'room' / 'thesis.txt'
    kept.parent.mkdir(parents=True)
    kept.write_text('years of work')
    outcome = run_job(Job(Path('/a/room'), kept.parent, (), is_replaced))
    assert outcome.status == process_many.FAILED
    assert 'holds thesis.txt' in outcome.note
    assert kept.exists()


def test_table():
    job = Job(Path('/a/room'), Path('/out/room'), ())
    outcomes = [
        Outcome(job, process_many.DONE, 3.21, '14 results'),
        Outcome(job, process_many.SKIPPED),
    ]
    assert table(outcomes).splitlines() == [
        'recording  status            time  note',
        'room       done             3.2 s  14 results',
        'room       finished before',
    ]


@pytest.mark.parametrize('at_once', [1, 3])
def test_every_job_has_an_outcome(at_once, monkeypatch):
    monkeypatch.setattr(process_many, 'run_job', lambda job: Outcome(job, process_many.DONE))
    jobs = make_jobs([Path(f'/a/{n}') for n in range(5)], Path('/o'), [], is_replaced=False)
    assert {outcome.job for outcome in run_here(jobs, at_once)} == set(jobs)


@pytest.mark.ros
def test_a_failed_recording_does_not_stop_the_others(bag, tmp_path, capsys):
    """The results are those of each alone, and are not made again."""
    pytest.importorskip('rs_ml_msgs', reason='needs a built rs_ml_msgs')
    words = ['--nodes', 'denoise']
    out = tmp_path / 'out'
    many = ['process', str(tmp_path / 'none'), str(bag), '--out', str(out), '--jobs', '2', *words]
    assert main(many) == 1
    _, failed, done = capsys.readouterr().out.splitlines()
    assert 'FAILED' in failed
    assert 'does not exist' in failed
    assert done.split()[:2] == ['kitchen', 'done']
    assert sorted(path.name for path in out.iterdir()) == ['kitchen']
    alone = tmp_path / 'alone' / 'kitchen'
    assert main(['process', str(bag), '--out', str(alone), *words]) == 0
    name = 'kitchen.mcap'
    assert (out / 'kitchen' / name).read_bytes() == (alone / name).read_bytes()
    assert run_job(Job(bag, out / 'kitchen', ())).status == process_many.SKIPPED


def test_ray_is_named_where_it_is_missing(bag, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(__import__('sys').modules, 'ray', None)
    words = ['process', str(bag), '--out', str(tmp_path / 'out'), '--ray', 'auto']
    assert main(words) == 2
    assert 'rs_ml_perception[ray]' in capsys.readouterr().err


@pytest.mark.ros
@pytest.mark.slow
def test_a_local_ray_cluster_gives_the_same(bag, tmp_path):
    pytest.importorskip('ray')
    flags = ['--nodes', 'denoise']
    recordings = [tmp_path / 'none', bag]
    outcomes = [
        process_many.process_many(
            make_jobs(recordings, tmp_path / name, flags, is_replaced=False),
            at_once=1,
            ray_address=address,
        )
        for name, address in (('here', ''), ('ray', 'local'))
    ]
    statuses = [[outcome.status for outcome in run] for run in outcomes]
    assert statuses == [[process_many.FAILED, process_many.DONE]] * 2
    paths = [tmp_path / name / 'kitchen' / 'kitchen.mcap' for name in ('here', 'ray')]
    assert paths[0].read_bytes() == paths[1].read_bytes()
