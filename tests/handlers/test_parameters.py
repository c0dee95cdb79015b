"""Numbers as the clients of JSON write them."""

import json

import pytest

from handlers.bodies.json_members import JsonMembers
from handlers.errors import InvalidParameter
from handlers.parameters import parameters_of

ACCEPTED = ["0", "1", "0.9", ".5", "1.0", "-0.0", "1e-05", "5E-324", "0.1e+1", "2.5e-1", "0e0"]


@pytest.mark.parametrize("text", ACCEPTED)
def test_a_number_between_0_and_1(text: str) -> None:
    """In every notation: json.dumps(0.00001) is 1e-05."""
    assert parameters_of([("min_confidence", text)]).min_confidence == float(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "1.01",
            "-0.1",
            "2",
            "1e1",
            "1e999",
            "nan",
            "inf",
            "0x1",
            "",
            "e",
            "0,9",
            "1_0",
            " 1",
            "\u0660",
        )
    ],
)
def test_another_one(text: str) -> None:
    """It is refused with the valid values."""
    with pytest.raises(InvalidParameter, match=r"0\.0-1\.0"):
        parameters_of([("min_confidence", text)])


@pytest.mark.parametrize("number", [0, 1, 0.9, 1e-05, 5e-324, 1 / 3, -0.0, -1, 12345.678])
def test_a_number_in_json(number: float) -> None:
    """Whatever json.dumps makes of it reaches the check of the parameter."""
    body = json.dumps({"image": "AA==", "min_confidence": number}).encode()
    members = JsonMembers(body, max_images=1)
    members.scan()
    assert [(name, float(text)) for name, text in members.parameters] == [
        ("min_confidence", number)
    ]
