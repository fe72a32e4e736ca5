"""Rules for the layout that no linter checks: every module in a package, names used once, files of readable size."""

from collections import Counter

from places import ROOT

LIBRARY = ROOT / "limr"
MODULES = [path for path in LIBRARY.rglob("*.py") if path.name != "__init__.py"]
AT_THE_BOTTOM = {"errors.py", "prompts.py", "progress.py", "settings.py"}


def test_no_two_modules_have_the_same_name():
    assert [name for name, count in Counter(path.name for path in MODULES).items() if count > 1] == []


def test_every_module_is_in_a_room_except_a_few_at_the_bottom():
    assert {path.name for path in LIBRARY.glob("*.py")} - {"__init__.py"} == AT_THE_BOTTOM


def test_every_module_begins_with_a_docstring():
    assert [path for path in MODULES if not path.read_text(encoding="utf-8").startswith(('"""', 'r"""'))] == []


def test_no_file_is_longer_than_500_lines():
    files = [*ROOT.glob("limr/**/*.py"), *ROOT.glob("tests/**/*.py"), *ROOT.glob("rules/*.smk")]
    assert [path for path in files if len(path.read_text(encoding="utf-8").splitlines()) > 500] == []


def test_unit_tests_mirror_the_rooms_of_the_library():
    packages = {path.parent.relative_to(LIBRARY) for path in MODULES}
    tested = {path.parent.relative_to(ROOT / "tests" / "unit") for path in (ROOT / "tests/unit").rglob("test_*.py")}
    assert {str(package) for package in tested - packages} == {"docs"}
