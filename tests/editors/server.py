"""The language server for YAML that editors run, spoken to over its standard input and output."""

from __future__ import annotations

import json
import subprocess
from typing import IO, TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


class YamlServer:
    """Runs `yaml-language-server`; the protocol is LSP 3.17, https://microsoft.github.io/language-server-protocol/.

    Settings come from the server's own request, schemas from the first line of a document.
    """

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen(  # the caller closes it
            [str(program), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._last = 0
        self._diagnostics: dict[str, list[Any]] = {}
        self._ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        self._tell("initialized", {})
        settings = {"yaml": {"validate": True, "completion": True, "hover": True, "schemaStore": {"enable": False}}}
        self._tell("workspace/didChangeConfiguration", {"settings": settings})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def diagnostics(self, path: Path, text: str) -> list[str]:
        """Return what the server says is wrong with a text."""
        uri = self._open(path, text)
        while uri not in self._diagnostics:
            self._read()
        return [str(each["message"]) for each in self._diagnostics[uri]]

    def completions(self, path: Path, text: str) -> set[str]:
        """Return what the server offers at the mark `|` of a text."""
        answer = self._at_mark("textDocument/completion", path, text)
        return {str(item["label"]).strip() for item in (answer or {"items": []})["items"]}

    def hover(self, path: Path, text: str) -> str:
        """Return what the server shows over the mark `|` of a text."""
        answer = self._at_mark("textDocument/hover", path, text)
        return json.dumps(answer)

    def _at_mark(self, method: str, path: Path, text: str) -> Any:
        before, _, after = text.partition("|")
        uri = self._open(path, before + after)
        position = {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}
        return self._ask(method, {"textDocument": {"uri": uri}, "position": position})

    def _open(self, path: Path, text: str) -> str:
        self._last += 1
        uri = path.with_name(f"{self._last}-{path.name}").as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._tell("textDocument/didOpen", {"textDocument": document})
        return uri

    def _ask(self, method: str, parameters: Any) -> Any:
        self._last += 1
        self._send({"id": self._last, "method": method, "params": parameters})
        number = self._last
        while (answer := self._read()).get("id") != number or "method" in answer:
            pass
        return answer.get("result")

    def _tell(self, method: str, parameters: Any) -> None:
        self._send({"method": method, "params": parameters})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        stream = self._stream(self._process.stdin)
        stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        stream.flush()

    def _read(self) -> dict[str, Any]:
        """Return the next message; what the server publishes is kept, and what it asks for is answered with nothing."""
        stream, length = self._stream(self._process.stdout), 0
        while line := stream.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        message: dict[str, Any] = json.loads(stream.read(length))
        if message.get("method") == "textDocument/publishDiagnostics":
            self._diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "method" in message and "id" in message:
            self._send({"id": message["id"], "result": None})
        return message

    @staticmethod
    def _stream(stream: IO[bytes] | None) -> IO[bytes]:
        assert stream is not None
        return stream
