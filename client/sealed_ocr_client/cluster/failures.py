"""Why a file of a folder was not read by a cluster."""

from sealed_ocr_client.errors import OcrError


class SetAside(OcrError):
    """A page ended the worker that read it, each time; it is not tried again."""

    def __init__(self, page: int, times: int) -> None:
        super().__init__(f"page {page} ended the worker that was reading it, {times} times")
        self.page = page


class UnusableCluster(OcrError):
    """The workers cannot read for this client, or there are none."""

    concerns_all = True
