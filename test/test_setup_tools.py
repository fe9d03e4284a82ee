"""The tools that make environments: requirements on the machine and progress reports."""

import importlib.util
import re
import sys
import time
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parent.parent / 'tools'


@pytest.fixture(scope='module')
def setup_env():
    """The module tools/setup_env.py, which belongs to no package."""
    sys.path.insert(0, str(TOOLS))
    spec = importlib.util.spec_from_file_location('setup_env', TOOLS / 'setup_env.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(TOOLS))


@pytest.mark.parametrize('level', ['run', 'test', 'full'])
@pytest.mark.parametrize('missing', [['g++'], ['g++', 'make']])
def test_missing_apt_packages_are_named(setup_env, monkeypatch, level, missing):
    monkeypatch.setattr(setup_env.shutil, 'which', lambda name: name not in missing)
    with pytest.raises(setup_env.SetupError, match=f'install -y {re.escape(" ".join(missing))}$'):
        setup_env.check_machine(level)


@pytest.mark.parametrize(('level', 'is_said'), [('run', False), ('test', True), ('full', True)])
def test_missing_libusb_is_reported_and_set_up_continues(
    setup_env, monkeypatch, capsys, level, is_said
):
    monkeypatch.setattr(setup_env.shutil, 'which', lambda name: f'/usr/bin/{name}')
    monkeypatch.setattr(setup_env, 'LIBUSB', 'libnothing-1.0.so.0')
    setup_env.check_machine(level)
    assert ('libusb-1.0-0 is missing' in capsys.readouterr().out) == is_said


def test_a_long_step_reports_progress(setup_env, monkeypatch, capsys):
    monkeypatch.setattr(setup_env, 'SIGN_OF_LIFE_SECS', 0.01)
    with setup_env.progress('pip install'):
        said = ''
        while len(said.split()) < 6:
            said += capsys.readouterr().out
            time.sleep(0.005)
    assert re.fullmatch(r'  pip install \.\.\.( \d+)+ \d+\.\d s\n', said + capsys.readouterr().out)


def test_a_failed_step_stops_its_progress_report(setup_env, monkeypatch, capsys):
    monkeypatch.setattr(setup_env, 'SIGN_OF_LIFE_SECS', 0.01)
    with pytest.raises(ValueError, match='broken'), setup_env.progress('pip install'):
        raise ValueError('broken')
    capsys.readouterr()
    time.sleep(0.05)
    assert capsys.readouterr().out == ''


def test_missing_modules_of_the_apt_python_are_named(setup_env, monkeypatch):
    interpreter = sys.modules['interpreter']
    absent = {'no_module_of_this_name': 'python3-nothing', 'sys': 'python3-something'}
    monkeypatch.setattr(interpreter, 'APT_MODULES', absent)
    with pytest.raises(setup_env.SetupError, match=r'install -y python3-nothing$'):
        setup_env.apt_interpreter()


def test_the_apt_environment_uses_the_system_python(setup_env, monkeypatch):
    """PYTHON= only chooses the interpreter of the other environments."""
    monkeypatch.setenv('PYTHON', '/opt/other/python3')
    environment = setup_env.AptEnvironment()
    assert environment.wanted == '/usr/bin/python3'
    assert setup_env.Environment('jazzy').wanted == '/opt/other/python3'
    assert [path.name for path in environment.requirements('full')] == ['apt.txt']


def test_only_builds_need_the_python_headers(setup_env):
    python = sys.modules['interpreter'].Interpreter(sys.executable)
    python.has_headers = False
    assert python.obstacle() == (
        f'{python.name}-dev is missing: sudo apt-get install -y {python.name}-dev'
    )
    assert python.obstacle(compiles=False) is None


@pytest.mark.parametrize('distro', ['jazzy', 'kilted'])
def test_the_fast_environment_finds_both_packages_without_a_build(
    setup_env, monkeypatch, tmp_path, distro
):
    environment = setup_env.make_environment(distro, 'fast')
    assert environment.venv.name == 'fast'
    environment.venv = tmp_path
    environment.marks.done = {'version': '312'}
    packages = tmp_path / 'lib' / 'python3.12' / 'site-packages'
    packages.mkdir(parents=True)
    for step in ('usable', 'install'):
        monkeypatch.setattr(environment, step, lambda *_: True)
    environment.bring_to('fast')
    folders = [Path(line) for line in (packages / 'rs_ml.pth').read_text().splitlines()]
    assert [(f / n).is_dir() for f, n in zip(folders, setup_env.LINKED, strict=True)] == [True] * 2
