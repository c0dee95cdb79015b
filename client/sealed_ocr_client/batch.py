"""Many files over one connection, a few at a time; the results in the order of the files."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

from sealed_ocr_client.client import AsyncClient, is_document
from sealed_ocr_client.errors import OcrError, UnreadableFile
from sealed_ocr_client.formats import Format
from sealed_ocr_client.inputs import Input
from sealed_ocr_client.options import Options
from sealed_ocr_client.outputs import UnfinishedPages, is_written, write_whole
from sealed_ocr_client.progress import Report, shown
from sealed_ocr_client.result import Document

Failure = tuple[str, OcrError]


@dataclass
class Batch:
    """Reads `inputs` into the files `outputs`, or to standard output if that is None."""

    client: AsyncClient
    form: Format
    options: Options
    inputs: Sequence[Input]
    outputs: Sequence[Path] | None
    report: Report
    jobs: int
    again: bool = False
    written: int = 0
    skipped: int = 0
    failures: list[Failure] = field(default_factory=list)

    async def run(self) -> None:
        """Read them; what failed is in `failures`. One that concerns all files ends the run."""
        places = asyncio.Semaphore(self.jobs)
        printed = [asyncio.Event() for _ in range(len(self.inputs) + 1)]
        printed[0].set()
        tasks = [
            asyncio.create_task(self._one(number, places, printed))
            for number in range(len(self.inputs))
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _one(
        self, number: int, places: asyncio.Semaphore, printed: Sequence[asyncio.Event]
    ) -> None:
        one, content = self.inputs[number], b""
        async with places:
            try:
                if self.outputs is not None:
                    said = await self._into(one, self.outputs[number])
                else:
                    content, said = await self._to_print(one), "read"
            except OcrError as error:
                self.failures.append((one.name, error))
                if error.concerns_all:
                    raise
                said = "not read"
        if self.outputs is None:
            await printed[number].wait()
            self._print(one, content)
        printed[number + 1].set()
        self.report.done(f"{one.name}: {said}")

    async def _to_print(self, one: Input) -> bytes:
        """Return the result of a file.

        Raises:
            OcrError: it could not be read.

        """
        try:
            upload = one.content()
        except OSError as error:
            raise UnreadableFile.because(error) from None
        content = await self._read(upload, None)
        self.written += 1
        return content

    async def _into(self, one: Input, target: Path) -> str:
        """Write the result of a file to `target`; return what to say of it.

        Raises:
            OcrError: it could not be read, or its result not be written.

        """
        if not self.again and is_written(target):
            self.skipped += 1
            return f"{target} is there already"
        unfinished = None
        try:
            upload = one.content()
            if self.form.from_pages is not None:
                query = self.options.query() | {"pages": self.options.pages or ""}
                unfinished = UnfinishedPages(target, upload, query)
            write_whole(target, await self._read(upload, unfinished))
        except OSError as error:
            raise UnreadableFile.because(error) from None
        if unfinished is not None:
            unfinished.discard()
        self.written += 1
        return str(target)

    async def _read(self, upload: bytes, unfinished: UnfinishedPages | None) -> bytes:
        """Return a file in the format; its pages go into `unfinished`, or come from it."""
        if self.form.from_pages is None:
            return await self.client.render(upload, self.form.name, self.options)
        pages = list(unfinished.pages) if unfinished else []
        after = pages[-1]["page"] if pages else 0
        async with aclosing(self.client.pages(upload, self.options, after=after)) as coming:
            async for page in coming:
                self.report.page()
                pages.append(page)
                if unfinished is not None:
                    unfinished.add(page)
        document = Document(tuple(pages), is_document(upload, self.options))
        return self.form.from_pages(document.pages, document.paged)

    def _print(self, one: Input, content: bytes) -> None:
        """Write a result; of several, each says which file it is of."""
        if not content:
            return
        if len(self.inputs) > 1:
            content = _labelled(self.form, one.name, content)
        self.report.output(content)


def _labelled(form: Format, name: str, content: bytes) -> bytes:
    if form.extension in {"json", "ndjson"}:
        # A name that is not UTF-8 has surrogates, which JSON can only escape.
        ascii_only = shown(name) != name
        label = json.dumps({"file": name}, ensure_ascii=ascii_only)[:-1].encode() + b", "
        return b"".join(label + line[1:] + b"\n" for line in content.splitlines())
    return f"==> {shown(name)} <==\n".encode() + content
