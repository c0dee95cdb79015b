"""PaddleX's serving: the response that its client documents, and its errors."""

import base64
import json
from typing import Any

import pytest

from handlers import page_images
from model.reader import PageImage, WordMode
from tests.handlers.compat.conftest import PageReader, Send, line, page

pytestmark = pytest.mark.anyio

OCR = "/paddlex/ocr"


def body(**members: Any) -> bytes:
    """Return a request with a file."""
    return json.dumps({"file": "QUJD", "fileType": 1, **members}).encode()


async def test_a_result(send: Send, reader: PageReader) -> None:
    """All members that the pipeline has, and the annotated image, which is the default."""
    lines = line("x", (0, 0, 9, 9), 0.4), line("up", (9, 30, 0, 20))
    reader.pages_read = [page(*lines, image=b"JPEG")]
    reply = await send(OCR, body(logId="log-1", textRecScoreThresh=0.5, hunter2=1))
    polygons = [[[0, 0], [9, 0], [9, 9], [0, 9]], [[9, 30], [0, 30], [0, 20], [9, 20]]]
    pruned = {
        "model_settings": {"use_doc_preprocessor": False, "use_textline_orientation": True},
        "dt_polys": polygons,
        "text_det_params": {
            "limit_side_len": 64,
            "limit_type": "min",
            "thresh": 0.3,
            "box_thresh": 0.6,
            "unclip_ratio": 1.5,
        },
        "text_type": "general",
        "textline_orientation_angles": [0, 1],
        "text_rec_score_thresh": 0.5,
        "return_word_box": False,
        "rec_texts": ["up"],
        "rec_scores": [0.9],
        "rec_polys": polygons[1:],
        "rec_boxes": [[0, 20, 9, 30]],
    }
    image = base64.b64encode(b"JPEG").decode()
    assert reply.json() == {
        "logId": "log-1",
        "result": {
            "ocrResults": [{"prunedResult": pruned, "ocrImage": image}],
            "dataInfo": {"width": 640, "height": 480, "type": "image"},
        },
        "errorCode": 0,
        "errorMsg": "Success",
    }
    assert reader.options.image is PageImage.ANNOTATED_JPEG


async def test_words_and_no_image(send: Send, reader: PageReader) -> None:
    """What is not wanted takes no time."""
    reply = await send(OCR, body(visualize=False, returnWordBox=True, logId=None))
    assert (reader.options.image, reader.options.words) == (None, WordMode.WORD)
    [result] = reply.json()["result"]["ocrResults"]
    assert "ocrImage" not in result
    assert result["prunedResult"]["text_word"] == [["Hello", "世界"]]
    assert result["prunedResult"]["text_word_boxes"] == [[[10, 20, 110, 40]] * 2]


@pytest.mark.parametrize(("file", "kind"), [(b"%PDF-1.7", "pdf"), (b"II*\0", "tiff")])
async def test_documents(file: bytes, kind: str, send: Send, reader: PageReader) -> None:
    """One element a page."""
    reader.pages_read = [page(number=number, of_document=True) for number in (1, 2)]
    result = (await send(OCR, body(file=base64.b64encode(file).decode(), fileType=0))).json()
    assert len(result["result"]["ocrResults"]) == 2
    assert result["result"]["dataInfo"] == {
        "numPages": 2,
        "pages": [{"width": 640, "height": 480}] * 2,
        "type": kind,
    }


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", 422),
        (b"hunter2", 422),
        (b"[]", 422),
        (b'{"fileType": 1}', 422),
        (body(file=1), 422),
        (body(file="https://hunter2/x.png"), 422),
        (body(file="hunter2!"), 422),
        (body(fileType=2), 422),
        (body(fileType=[1]), 422),
        (body(visualize="no"), 422),
        (body(textRecScoreThresh="high"), 422),
        (b'{"file": "QUJD", "textRecScoreThresh": 1e999}', 422),
        (b'{"file": "QUJD", "textRecScoreThresh": NaN}', 422),
        (body(textRecScoreThresh=10**400), 422),
        (body(file="dG9ybg=="), 422),
        (body(file="dGV4dA=="), 422),
        (body(file="YnVn"), 500),
    ],
)
async def test_errors(sent: bytes, status: int, send: Send) -> None:
    """The code is the status; the request has an id in any case."""
    reply = await send(OCR, sent)
    answer = reply.json()
    assert (reply.status, answer["errorCode"]) == (status, status)
    assert set(answer) == {"logId", "errorCode", "errorMsg"}
    assert len(answer["logId"]) == 36
    assert b"hunter2" not in reply.body


@pytest.mark.parametrize("log_id", ["hunter2 x", "\ud800", "x" * 200, "x" * 2000, "a\nb", 7, None])
async def test_only_an_id_is_repeated(log_id: object, send: Send) -> None:
    """Anything else gets a new one, in errors, too."""
    for members in ({}, {"file": "https://x"}):
        answer = (await send(OCR, body(logId=log_id, **members))).json()
        assert len(answer["logId"]) == 36
    assert (await send(OCR, body(logId="mine", file="https://x"))).json()["logId"] == "mine"


async def test_images_are_bounded(
    send: Send, reader: PageReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many bytes as allowed are sent; with one more the request is refused.

    Either way the reading ends while the slot is held: the upload is not kept any longer.
    """
    reader.pages_read = [
        page(number=number, of_document=True, image=b"123") for number in (1, 2, 3)
    ]
    for most, status in ((9, 200), (8, 422)):
        monkeypatch.setattr(page_images, "MAX_IMAGES_BYTES", most)
        assert (await send(OCR, body())).status == status
        assert reader.ended_in_slot
