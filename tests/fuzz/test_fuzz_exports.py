"""A short share of the cases in which expressions and ``predict`` read odd rows; and that a difference is found."""

from exports import compare, fuzz_exports


def test_fifty_models_and_tables_are_read_alike():
    assert fuzz_exports(50, 1) == []


def test_a_planted_difference_is_found(monkeypatch):
    def planted(model, rows):
        assert all("e" not in row["x"] for row in rows)
        compare(model, rows)

    monkeypatch.setattr("exports.compare", planted)
    [(case, complaint)] = fuzz_exports(200, 1)
    assert case.command == "gdfit predict model.json data.csv"
    assert complaint.startswith("AssertionError")
