"""Makes the project's private environments: .venv/<distro> (pip) and .ros/<distro> (colcon).

Two environments have no ROS: the distro `apt` (.venv/apt) is the Python of a robot, and the level
`fast` (.venv/fast) serves the tests that need neither ROS nor TensorFlow.

This script uses the standard library only, so any Python can run it. Every step records the digest
of its inputs in .venv/<distro>/setup.json. A step whose digest is unchanged is skipped; an
interrupted step starts again from a clean state.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import fcntl
import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from interpreter import SYSTEM_PYTHON, Interpreter, SetupError, apt_interpreter, find_interpreter

ROOT = Path(__file__).resolve().parent.parent
DISTROS = ('jazzy', 'kilted')
APT, FAST = 'apt', 'fast'
REQUIREMENTS = ROOT / 'tools' / 'requirements'
LEVELS = {  # lists that a level installs in addition to the distro's own
    'run': ('runtime',),
    'training': ('runtime', 'tensorflow', 'training'),
    'test': ('runtime', 'test'),
    'full': ('runtime', 'test', 'tensorflow', 'training'),
    'docs': ('runtime', 'test', 'tensorflow', 'training', 'docs'),
    FAST: ('runtime', 'fast'),
}
PACKAGES = ('rs_ml_msgs', 'rs_ml_perception')
TRAINING = ROOT / 'rs_ml_training'
LINKED = {'rs_ml_perception': ROOT / 'rs_ml_perception', 'rs_ml_training': TRAINING / 'src'}
TRAINING_PYTHON = (3, 11)  # the oldest that current Keras and NumPy support
LIBUSB = 'libusb-1.0.so.0'  # pyrealsense2 is linked to it
SIGN_OF_LIFE_SECS = 10.0
WHEEL_PREFIX = '/opt/python/cp{0}{1}-cp{0}{1}'  # of the machine that built the wheels


def check_machine(level: str) -> None:
    """Raises SetupError when a package that only apt can install is missing."""
    missing = [p for p in ('g++', 'make') if not shutil.which(p)]
    if missing:
        names = ' '.join(missing)
        verb = 'is' if len(missing) == 1 else 'are'
        raise SetupError(f'{names} {verb} missing: sudo apt-get install -y {names}')
    if 'test' in LEVELS[level] and not has_library(LIBUSB):
        print('  libusb-1.0-0 is missing (apt): tests against librealsense will be skipped')


def has_library(name: str) -> bool:
    """Whether the dynamic linker finds the library."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def digest(paths: list[Path]) -> str:
    """SHA-256 over the names and contents of the files."""
    total = hashlib.sha256()
    for path in paths:
        total.update(f'{path.relative_to(ROOT)}\0'.encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def build_digest() -> str:
    """Changes with the messages, the build files and the set of installed files.

    The build links to the source files, so their content does not count.
    """
    sources = sorted((ROOT / 'rs_ml_msgs' / 'msg').glob('*.msg'))
    sources += [ROOT / 'rs_ml_msgs' / n for n in ('CMakeLists.txt', 'package.xml')]
    sources += [ROOT / 'rs_ml_perception' / n for n in ('setup.py', 'setup.cfg', 'package.xml')]
    folders = [ROOT / 'rs_ml_perception' / n for n in ('launch', 'config', 'models')]
    installed = sorted(str(p.relative_to(ROOT)) for f in folders for p in f.rglob('*'))
    names = hashlib.sha256('\n'.join(n for n in installed if '__pycache__' not in n).encode())
    return digest(sources) + names.hexdigest()


class Marks:
    """The finished steps, stored in a file inside the environment."""

    def __init__(self, path: Path):
        self.path = path
        try:
            self.done: dict[str, Any] = json.loads(path.read_text())
        except (OSError, ValueError):
            self.done = {}

    def set(self, step: str, value: str | dict[str, str] | None) -> None:
        """Writes at once, by rename; None means that the step has begun."""
        self.done[step] = value
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix('.new')
        draft.write_text(json.dumps(self.done, indent=1))
        draft.replace(self.path)


@contextlib.contextmanager
def progress(what: str) -> Iterator[None]:
    """Prints the step, its elapsed time every ten seconds, and its duration."""
    print(f'  {what} ...', end='', flush=True)
    start = time.monotonic()
    is_over = threading.Event()

    def tick() -> None:
        while not is_over.wait(SIGN_OF_LIFE_SECS):
            print(f' {time.monotonic() - start:.0f}', end='', flush=True)

    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield
    finally:
        is_over.set()
        ticker.join()
    print(f' {time.monotonic() - start:.1f} s', flush=True)


def call(command: Sequence[object], log: Path, env: dict[str, str] | None = None) -> None:
    """Runs a command with its output in a file; on failure SetupError shows the end of it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open('w') as out:
        run = subprocess.run(
            [str(c) for c in command], stdout=out, stderr=out, env=env, cwd=ROOT, close_fds=False
        )
    if run.returncode:
        tail = '\n'.join(log.read_text(errors='replace').splitlines()[-15:])
        raise SetupError(f'{command[0]} failed (all of it in {log}):\n{tail}')


class Environment:
    """The .venv and .ros folders of one distro."""

    venv_options: tuple[str, ...] = ()

    def __init__(self, distro: str):
        self.distro = distro
        self.venv = ROOT / '.venv' / distro
        self.ros = ROOT / '.ros' / distro
        self.logs = self.ros / 'setup'
        self.python = self.venv / 'bin' / 'python'
        self.marks = Marks(self.venv / 'setup.json')
        self.wanted = os.environ.get('PYTHON')  # None: the present one, or the first usable one
        self.interpreter: Callable[[], Interpreter] = find_interpreter

    def requirements(self, level: str) -> list[Path]:
        """The pinned lists of a level."""
        names = (f'ros-{self.distro}', *LEVELS[level])
        return [REQUIREMENTS / f'{name}.txt' for name in names]

    def bring_to(self, level: str) -> None:
        """Does the missing steps; finished ones stay."""
        check_machine(level)
        if not self.usable():
            self.create()
        self.install(level)
        if 'training' in LEVELS[level]:
            self.link_training()
        self.build()

    def usable(self) -> bool:
        """Whether the venv is complete, in its original place and of the wanted Python."""
        done = self.marks.done
        return (
            done.get('place') == str(self.venv)
            and self.wanted in (None, done.get('chosen'))
            and done.get('pip', '') is not None
            and self.python.exists()
        )

    def create(self) -> None:
        """Makes the virtual environment; removes an old one first."""
        interpreter = self.interpreter()
        with progress(f'{self.venv.relative_to(ROOT)} with {interpreter.path}'):
            for folder in (self.venv, self.ros):
                shutil.rmtree(folder, ignore_errors=True)
            options = [*self.venv_options, self.venv]
            call([interpreter.path, '-I', '-m', 'venv', *options], self.logs / 'venv.log')
        self.marks = Marks(self.venv / 'setup.json')
        self.marks.set('base_prefix', interpreter.base_prefix)
        self.marks.set('version', '{}{}'.format(*interpreter.version))
        self.marks.set('chosen', self.wanted or '')
        self.marks.set('place', str(self.venv))

    def install(self, level: str) -> None:
        """Installs the pinned lists that are new or changed."""
        installed = dict(self.marks.done.get('pip') or {})
        files = self.requirements(level)
        new = [f for f in files if installed.get(f.stem) != digest([f])]
        if not new:
            return
        names = ', '.join(f.stem for f in new)
        with progress(f'pip install {names} (the first time this takes some minutes)'):
            self.marks.set('pip', None)  # interrupted from here on: the venv is made again
            arguments = [a for f in new for a in ('-r', f)]
            pip = [self.python, '-m', 'pip', 'install', '--disable-pip-version-check']
            call([*pip, *arguments], self.logs / 'pip.log', self.variables())
            self.patch_prefix()
        self.marks.set('pip', {**installed, **{f.stem: digest([f]) for f in new}})

    def link_training(self) -> None:
        """Installs rs_ml_training as a link, with its commands."""
        wanted = digest([TRAINING / 'pyproject.toml'])
        version = self.marks.done['version']
        is_too_old = (int(version[0]), int(version[1:])) < TRAINING_PYTHON
        if is_too_old or self.marks.done.get('training') == wanted:
            return
        with progress('rs_ml_training as a link'):
            pip = [self.python, '-m', 'pip', 'install', '--disable-pip-version-check']
            link = ['--no-deps', '--no-build-isolation', '-e', TRAINING]
            call([*pip, *link], self.logs / 'training.log', self.variables())
        self.marks.set('training', wanted)

    def patch_prefix(self) -> None:
        """Replaces the build machine's Python in the wheels' CMake files by this one.

        Paths of its packages (numpy's headers) become those of the venv, others those of the base
        Python.
        """
        version = self.marks.done['version']
        old = WHEEL_PREFIX.format(version[0], version[1:])
        packages = f'/lib/python{version[0]}.{version[1:]}/site-packages'
        for path in (self.venv / 'share').rglob('*.cmake'):
            if old in (content := path.read_text()):
                content = content.replace(old + packages, f'{self.venv}{packages}')
                path.write_text(content.replace(old, self.marks.done['base_prefix']))

    def variables(self) -> dict[str, str]:
        """The caller's variables, without those of another ROS or Python environment."""
        foreign = ('PYTHONPATH', 'PYTHONHOME', 'LD_LIBRARY_PATH', '_ROS_WHEELS_BOOTSTRAP_COMPLETE')
        env = {k: v for k, v in os.environ.items() if k not in foreign}
        env.update(
            VIRTUAL_ENV=str(self.venv),
            PATH=f'{self.venv / "bin"}:{env.get("PATH", os.defpath)}',
            AMENT_PREFIX_PATH=str(self.venv),
            CMAKE_PREFIX_PATH=str(self.venv),
            ROS_DISTRO=self.distro,
        )
        env.setdefault('HOME', str(self.ros))
        return env

    def build(self) -> None:
        """Generates and compiles the messages; installs the package as links."""
        wanted = build_digest()
        built = self.marks.done.get('build')
        if built == wanted and (self.ros / 'install' / PACKAGES[-1]).is_dir():
            return
        with progress('colcon build of ' + ' and '.join(PACKAGES)):
            if 'build' in self.marks.done and built is None:
                for part in ('build', 'install'):
                    shutil.rmtree(self.ros / part, ignore_errors=True)
            self.marks.set('build', None)
            call(self.colcon(), self.logs / 'colcon.log', self.variables())
        self.marks.set('build', wanted)

    def colcon(self) -> list[object]:
        return [
            *(self.python, '-m', 'colcon', '--log-base', self.ros / 'log', 'build'),
            *('--base-paths', *(ROOT / p for p in PACKAGES), '--symlink-install'),
            *('--build-base', self.ros / 'build', '--install-base', self.ros / 'install'),
            *('--cmake-args', '-DBUILD_TESTING=OFF', f'-DPython3_EXECUTABLE={self.python}'),
        ]


class PlainEnvironment(Environment):
    """An environment without ROS: nothing is compiled, and both packages run from the sources."""

    def bring_to(self, level: str) -> None:
        if not self.usable():
            self.create()
        self.install(level)
        self.link_packages()

    def link_packages(self) -> None:
        """Puts both packages on the path of this Python, and of no other."""
        version = self.marks.done['version']
        packages = self.venv / 'lib' / f'python{version[0]}.{version[1:]}' / 'site-packages'
        (packages / 'rs_ml.pth').write_text(''.join(f'{f}\n' for f in LINKED.values()))


class FastEnvironment(PlainEnvironment):
    """The smallest environment, for `make test-fast`; it takes less than a minute."""

    def __init__(self) -> None:
        super().__init__(FAST)
        self.interpreter = functools.partial(find_interpreter, compiles=False)

    def requirements(self, level: str) -> list[Path]:
        return [REQUIREMENTS / f'{name}.txt' for name in LEVELS[FAST]]


class AptEnvironment(PlainEnvironment):
    """A robot's environment: the system's Python with apt's packages, the others from PyPI.

    It has no ROS: for the system's Python only apt has one.
    """

    venv_options = ('--system-site-packages',)

    def __init__(self) -> None:
        super().__init__(APT)
        self.wanted = SYSTEM_PYTHON
        self.interpreter = apt_interpreter

    def requirements(self, level: str) -> list[Path]:
        return [REQUIREMENTS / f'{APT}.txt']


@contextlib.contextmanager
def alone(distro: str) -> Iterator[None]:
    """Lets one set-up of a distro run at a time; a pip that outlives it keeps the lock."""
    (ROOT / '.venv').mkdir(exist_ok=True)
    with (ROOT / '.venv' / f'{distro}.lock').open('w') as lock:
        os.set_inheritable(lock.fileno(), True)
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def set_up(distro: str, level: str) -> None:
    """Brings the environment of a distro to a level."""
    if distro not in (*DISTROS, APT):
        raise SetupError(
            f'ROS_DISTRO={distro}: wheels exist for {" and ".join(DISTROS)}; on a machine with '
            'ROS from apt use colcon instead (docs/robot.md)'
        )
    environment = make_environment(distro, level)
    with alone(environment.distro):
        environment.bring_to(level)


def make_environment(distro: str, level: str) -> Environment:
    """The environment of a level of a distro."""
    if level == FAST:
        return FastEnvironment()
    return AptEnvironment() if distro == APT else Environment(distro)


def main() -> int:
    """Runs the command; returns 1 if something is missing, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--distro', default=os.environ.get('ROS_DISTRO') or 'jazzy')
    parser.add_argument('--level', choices=LEVELS, default='run')
    arguments = parser.parse_args()
    try:
        set_up(arguments.distro, arguments.level)
    except SetupError as error:
        print(f'\nset-up: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\nset-up: interrupted; the next run continues from a clean state', file=sys.stderr)
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main())
