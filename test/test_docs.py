"""Pages refer to things that exist: links, anchors, make targets, modules."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    {
        *ROOT.glob('*.md'),
        *(ROOT / 'docs').rglob('*.md'),
        *(ROOT / 'examples').rglob('*.md'),
        *(ROOT / 'rs_ml_training').glob('*.md'),
        *(ROOT / 'rs_ml_perception' / 'models').rglob('*.md'),
        *(ROOT / 'rs_ml_perception' / 'config').rglob('*.md'),
    }
)
LINK = re.compile(r'\]\(([^)\s]+)\)')


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    text = re.sub(r'^(```.*?```)$', '', path.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r'^#+ (.+)$', text, re.MULTILINE)
    return {re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-') for heading in headings}


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for link in LINK.findall(page.read_text()):
        if link.startswith(('http://', 'https://')):
            continue
        file, _, anchor = link.partition('#')
        target = page.parent / file if file else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_the_readme_is_short():
    assert len((ROOT / 'README.md').read_text().splitlines()) <= 120


def test_every_page_is_linked():
    """Readers find a page only by a link."""
    linked = {
        (page.parent / link.partition('#')[0]).resolve()
        for page in PAGES
        for link in LINK.findall(page.read_text())
        if link.partition('#')[0] and '://' not in link
    }
    docs = {page for page in PAGES if ROOT / 'docs' in page.parents}
    assert docs - linked == set()


MAKE_TARGET = re.compile(
    r'\bmake ((?:test|lint|docs|setup|build|demo|bench|soak|clean|lock)[\w-]*)'
)
NAMES_OF_MAKE = [
    *(ROOT / name for name in ('README.md', 'CONTRIBUTING.md', '.ci/run')),
    *sorted((ROOT / '.github' / 'workflows').glob('*.yml')),
]


@pytest.mark.parametrize('path', NAMES_OF_MAKE, ids=lambda path: path.name)
def test_every_make_target_in_the_docs_exists(path):
    targets = re.findall(r'^([\w -]+):(?!=)', (ROOT / 'Makefile').read_text(), re.MULTILINE)
    known = {target for line in targets for target in line.split()}
    named = set(MAKE_TARGET.findall(path.read_text()))
    assert named
    assert named <= known


@pytest.mark.parametrize('path', sorted((ROOT / '.github' / 'workflows').glob('*.yml')))
def test_workflows_are_whole(path):
    """Jobs with a machine, a time limit and steps that either use or run something."""
    for job in yaml.safe_load(path.read_text())['jobs'].values():
        assert {'runs-on', 'timeout-minutes'} <= set(job)
        assert all(('uses' in step) != ('run' in step) for step in job['steps'])


FILES = subprocess.run(
    ['git', 'ls-files', '--cached', '--others', '--exclude-standard'],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=False,
).stdout.split()
PYTHON_FILE = re.compile(r'`([\w/.]+\.py)`')


@pytest.mark.skipif(not FILES, reason='needs a git checkout')
@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_modules_named_in_the_docs_exist(page):
    for name in PYTHON_FILE.findall(page.read_text()):
        assert any(f'/{file}'.endswith(f'/{name}') for file in FILES), name


@pytest.mark.skipif(not FILES, reason='needs a git checkout')
def test_classes_named_in_the_architecture_exist():
    sources = [ROOT / file for file in FILES if file.endswith('.py')]
    code = '\n'.join(path.read_text() for path in sources if path.is_file())
    text = (ROOT / 'docs' / 'architecture.md').read_text()
    for name in re.findall(r'`([A-Z][a-z]+[A-Z]\w+)`', text):
        assert re.search(rf'^class {name}\b', code, re.MULTILINE), name
