"""`netspec shapes` in words: each tensor as messages write its type."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from netspec_cli.main import app

INDICES = """\
netspec: 1
name: indices
inputs: {text: {shape: [6], vocabulary: 9}, count: {shape: [], vocabulary: 7}}
layers:
  - take: 0
    from: text
    name: first
  - embedding: 3
    name: first_vector
  - embedding: 3
    from: count
  - add: [first_vector, embedding2]
"""


def test_a_single_index_is_an_input_and_an_output_of_a_layer(tmp_path: Path) -> None:
    spec = tmp_path / "indices.yaml"
    spec.write_text(INDICES)
    for command in (["shapes", str(spec), "--format", "json"], ["draw", str(spec)], ["check", str(spec)]):
        assert CliRunner().invoke(app, command).exit_code == 0
    result = CliRunner().invoke(app, ["shapes", str(spec)])
    assert result.exit_code == 0, result.output
    rows = {line.split("  ")[0]: line for line in result.stdout.splitlines() if line}
    assert [rows["text"].split()[1:], rows["count"].split()[1:]] == [
        ["input", "indices", "6", "of", "9", "24", "B"],
        ["input", "an", "index", "of", "7", "4", "B"],
    ]
    assert "an index of 9" in rows["first"]
