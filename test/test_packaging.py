"""Installed files are complete, with one version, by both kinds of colcon build and pip."""

import ast
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from rs_ml_perception.nodes.table import EXECUTABLES as NODE_EXECUTABLES
from setuptools import find_packages

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / 'rs_ml_perception'
NAME = 'rs_ml_perception'
EXECUTABLES = (
    'detection_node',
    'height_node',
    'denoise_node',
    'mono_depth_node',
    'segmentation_node',
    'perception_graph',
    'replay_node',
    'record_node',
    'rs-ml',
    'rs-ml-plane-rms',
)


def setup_arguments(monkeypatch) -> dict:
    """The keywords that setup.py hands to setuptools."""
    seen = {}
    monkeypatch.chdir(PACKAGE)
    monkeypatch.setattr('setuptools.setup', lambda **keywords: seen.update(keywords))
    path = PACKAGE / 'setup.py'
    exec(compile(path.read_text(), path, 'exec'), {'__file__': str(path), '__name__': 'setup'})
    return seen


def shared_files(base: Path = PACKAGE) -> dict[str, Path]:
    """Installed place -> source, of every file except modules."""
    folders = {'launch': '*.launch.py', 'config': '**/*', 'models': '**/*', 'recordings': '**/*'}
    paths = [path for folder, pattern in folders.items() for path in (base / folder).glob(pattern)]
    return {str(path.relative_to(base)): path for path in paths if path.is_file()}


def xml_texts(package: str, tag: str) -> list[str]:
    root = ElementTree.parse(ROOT / package / 'package.xml').getroot()
    return [element.text for element in root.iter(tag)]


def test_setup_lists_every_shared_file(monkeypatch):
    listed = {
        f'{target}/{Path(file).name}': (PACKAGE / file).resolve()
        for target, files in setup_arguments(monkeypatch)['data_files']
        for file in files
    }
    expected = {f'share/{NAME}/{place}': path for place, path in shared_files().items()}
    assert expected
    assert expected.items() <= listed.items()


def test_packages_hold_no_benchmarks(monkeypatch):
    names = [
        *setup_arguments(monkeypatch)['packages'],
        *find_packages(str(ROOT / 'rs_ml_training' / 'src')),
    ]
    assert {name.partition('.')[0] for name in names} == {NAME, 'rs_ml_training'}
    assert [name for name in names if 'bench' in name] == []


def test_an_incomplete_folder_is_named(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / NAME, ignore=shutil.ignore_patterns('test', 'launch'))
    run = subprocess.run(
        [sys.executable, 'setup.py', '--version'],
        cwd=tmp_path / NAME,
        capture_output=True,
        text=True,
    )
    assert run.returncode != 0
    assert 'no *.launch.py in' in run.stderr


def modules_behind(executables: Path) -> dict[str, Path]:
    """Name of each function in executables.py -> the module it runs."""
    found = {name: executables.parent / 'nodes' / f'{name}.py' for name in NODE_EXECUTABLES}
    for statement in ast.parse(executables.read_text()).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
            module = statement.value.args[0].value
            path = executables.parent / f'{module.replace(".", "/")}.py'
            found[statement.targets[0].id] = path
    return found


def test_every_executable_has_its_module(monkeypatch):
    scripts = setup_arguments(monkeypatch)['entry_points']['console_scripts']
    targets = dict(script.split(' = ') for script in scripts)
    assert tuple(targets) == EXECUTABLES
    modules = modules_behind(PACKAGE / NAME / 'executables.py')
    for target in targets.values():
        module, function = target.split(':')
        assert module == f'{NAME}.executables'
        body = ast.parse(modules[function].read_text()).body
        assert 'main' in {node.name for node in body if hasattr(node, 'name')}, target


def found_in(path: Path, pattern: str) -> str:
    return re.search(pattern, path.read_text(), re.MULTILINE)[1]


def test_there_is_one_version(monkeypatch):
    versions = {
        'setup.py': setup_arguments(monkeypatch)['version'],
        '__init__.py': found_in(PACKAGE / NAME / '__init__.py', "^__version__ = '(.+)'$"),
        'package.xml': xml_texts(NAME, 'version')[0],
        'rs_ml_msgs': xml_texts('rs_ml_msgs', 'version')[0],
        'rs_ml_training': found_in(ROOT / 'rs_ml_training/pyproject.toml', "^version = '(.+)'$"),
        'CHANGELOG.md': found_in(ROOT / 'CHANGELOG.md', r'^## \[([\d.]+)\]'),
    }
    assert len(set(versions.values())) == 1, versions


@pytest.mark.parametrize('package', [NAME, 'rs_ml_msgs', 'rs_ml_training'])
def test_every_package_has_its_licence(package):
    """Each package is exported and released alone, so each has its own file."""
    path = ROOT / package / 'LICENSE'
    assert path.is_file()
    assert not path.is_symlink()
    assert path.read_bytes() == (ROOT / 'LICENSE').read_bytes()


@pytest.mark.parametrize('package', [NAME, 'rs_ml_msgs'])
def test_licences_name_their_files(package, monkeypatch):
    root = ElementTree.parse(ROOT / package / 'package.xml').getroot()
    licences = {element.text: element.get('file') for element in root.iter('license')}
    assert licences.pop('Apache-2.0') == 'LICENSE'
    assert set(licences.values()) == ({'models/LICENSE.md'} if package == NAME else set())
    assert all((ROOT / package / file).is_file() for file in licences.values())
    assert setup_arguments(monkeypatch)['license'] == 'Apache-2.0'


def test_every_shipped_model_has_its_terms():
    folders = [path.parent for path in (PACKAGE / 'models').glob('*/manifest.yaml')]
    assert folders
    for folder in folders:
        assert (folder / 'README.md').is_file()
        assert (folder / 'LICENSE').is_file()
        assert found_in(folder / 'manifest.yaml', '^license: (.+)$')


@pytest.mark.parametrize('package', [NAME, 'rs_ml_msgs'])
def test_the_changelog_can_be_released(package):
    """Bloom reads it after catkin_prepare_release has replaced Forthcoming by a version."""
    pytest.importorskip('docutils')
    changelog = pytest.importorskip('catkin_pkg.changelog')
    text = (ROOT / package / 'CHANGELOG.rst').read_text()
    assert f'Changelog for package {package}\n' in text
    released = text.replace('Forthcoming\n-----------', '9.9.9 (2030-01-01)\n------------------')
    parsed = changelog.populate_changelog_from_rst(changelog.Changelog(package), released)
    (version, _, contents), *_ = parsed.foreach_version()
    assert version == '9.9.9'
    assert contents


ROS_NAMES = re.compile(
    r'^(rclpy|launch|launch_ros|cv_bridge|message_filters|ament_index_python|\w+_(msgs|srvs|interfaces))$'
)


def imported_ros_packages() -> set[str]:
    """The ROS packages that any source or launch file of this package imports."""
    found = set()
    for path in [*(PACKAGE / NAME).rglob('*.py'), *(ROOT / 'launch').glob('*.py')]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split('.')[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split('.')[0])
    return {name for name in found if ROS_NAMES.match(name)}


def test_package_xml_names_every_imported_ros_package():
    imported = imported_ros_packages()
    assert 'rclpy' in imported
    assert imported <= set(xml_texts(NAME, 'exec_depend'))


@pytest.mark.parametrize('package', [NAME, 'rs_ml_msgs'])
def test_package_xml_is_accepted(package):
    catkin_pkg = pytest.importorskip('catkin_pkg.package')
    parsed = catkin_pkg.parse_package(ROOT / package)
    warnings = []
    parsed.validate(warnings=warnings)
    assert not warnings


def run_checked(command, **options):
    run = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **options
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    return run


def assert_installed(prefix: Path, scripts: str, base: Path = PACKAGE):
    """Marker, package.xml, scripts and all shared files are under the prefix."""
    share = prefix / 'share'
    assert (share / 'ament_index/resource_index/packages' / NAME).exists()
    assert (share / NAME / 'package.xml').exists()
    for place, source in shared_files(base).items():
        assert (share / NAME / place).read_bytes() == source.read_bytes()
    for executable in EXECUTABLES:
        assert os.access(prefix / scripts / executable, os.X_OK), executable


def colcon_build(base: Path, package: Path, options: list[str]) -> None:
    """Build a workspace in `base` that holds this package alone."""
    pytest.importorskip('colcon_core')
    command = [sys.executable, '-m', 'colcon', '--log-base', base / 'log', 'build']
    command += ['--base-paths', package, '--build-base', base / 'build']
    run_checked([*command, '--install-base', base / 'install', *options], cwd=base)


@pytest.mark.slow
@pytest.mark.parametrize('options', [[], ['--symlink-install']], ids=['plain', 'symlink'])
def test_colcon_build(tmp_path, options):
    colcon_build(tmp_path, PACKAGE, options)
    prefix = tmp_path / 'install' / NAME
    assert_installed(prefix, f'lib/{NAME}')
    installed = prefix / 'share' / NAME / 'config' / 'fastdds.xml'
    assert installed.is_symlink() == bool(options)
    run_checked([prefix / 'lib' / NAME / 'rs-ml', '--help'], env=overlay(tmp_path))


def overlay(base: Path) -> dict[str, str]:
    """The variables that local_setup.bash of the build in `base` sets."""
    script = f'source {base}/install/local_setup.bash && env -0'
    env = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
    run = run_checked(['bash', '-c', script], env=env)
    return dict(line.split('=', 1) for line in run.stdout.split('\0') if '=' in line)


def exported(folder: str, target: Path) -> Path:
    """The unpacked content of `git archive HEAD:folder`."""
    if not (ROOT / '.git').exists() or not shutil.which('git'):
        pytest.skip('not a git checkout')
    target.mkdir()
    archive = target.with_suffix('.tar')
    run_checked(['git', '-C', ROOT, 'archive', '-o', archive, f'HEAD:{folder}'])
    run_checked(['tar', '-xf', archive, '-C', target])
    return target


def pip_install(source: Path, prefix: Path) -> None:
    pytest.importorskip('setuptools', minversion='70.1', reason='older ones need wheel')
    options = ['--no-deps', '--no-build-isolation', '--disable-pip-version-check', '-q']
    pip = [sys.executable, '-m', 'pip', 'install', '-I', '--prefix', prefix, *options]
    run_checked([*pip, source], cwd=prefix.parent)


def test_the_exported_package_builds(tmp_path):
    """`git archive` -> sdist -> wheel needs nothing outside the package's folder."""
    package = exported(NAME, tmp_path / 'export')
    setup = [sys.executable, 'setup.py', '-q', 'sdist', '--formats=tar', '-d', tmp_path / 'dist']
    run_checked(setup, cwd=package)
    (sdist,) = (tmp_path / 'dist').glob('*.tar')
    pip_install(sdist, tmp_path / 'prefix')
    assert_installed(tmp_path / 'prefix', 'bin', base=package)
    (modules,) = (tmp_path / 'prefix').glob(f'lib*/python*/site-packages/{NAME}')
    assert (modules / 'py.typed').exists()
    (info,) = modules.parent.glob(f'{NAME}-*.dist-info')
    licences = {path.name for path in info.rglob('LICENSE*')}
    assert licences == {'LICENSE', 'LICENSE.md'}


@pytest.mark.slow
@pytest.mark.parametrize('options', [[], ['--symlink-install']], ids=['plain', 'symlink'])
def test_colcon_builds_the_exported_package(tmp_path, options):
    package = exported(NAME, tmp_path / 'export')
    colcon_build(tmp_path, package, options)
    assert_installed(tmp_path / 'install' / NAME, f'lib/{NAME}', base=package)
