import pytest

from refpix.cli.rows import parse_rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("0", [0]),
        ("0,3,5-9", [0, 3, 5, 6, 7, 8, 9]),
        (" 4 , 2 ", [4, 2]),
        ("7-7", [7]),
        ("-1,-2", [-1, -2]),
        ("1,1", [1, 1]),
    ],
)
def test_rows(text, rows):
    assert parse_rows(text) == rows


@pytest.mark.parametrize("text", ["", "a", "1,,2", "3-", "1.5", "2:4", "9-5", "-3-1"])
def test_what_is_no_row(text):
    with pytest.raises(ValueError, match="rows"):
        parse_rows(text)


def test_there_is_a_limit():
    assert len(parse_rows("0-999")) == 1000
    with pytest.raises(ValueError, match="more than 1000"):
        parse_rows("0-1000")
    with pytest.raises(ValueError, match="more than 1000"):
        parse_rows("5,0-99999999999999")
