"""A real HTTP server on loopback that fails as it is told to. Behind it stands a real SQLite table.

Each path has a script: a list of faults, one per request, the last one for ever. What a request writes is written
before its fault happens if the fault says so, as when a gateway fails after the database has committed.
"""

import json
import socket
import sqlite3
import struct
import threading
import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Answer:
    """A whole answer, after `delay` seconds."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    commits: bool | None = None  #: None: where the status is a good one
    delay: float = 0.0
    body: str | None = None


@dataclass(frozen=True)
class Drop:
    """No answer: the connection ends before it, or in the middle of its body."""

    commits: bool = False
    in_body: bool = False
    reset: bool = True  #: else it is closed in an orderly way


@dataclass(frozen=True)
class Seen:
    """One request as it came in."""

    time: float
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class FaultServer:
    """Use as a context manager. With `listening=False` connections are refused until `listen()`."""

    listening: bool = True
    seen: list[Seen] = field(default_factory=list)

    def __enter__(self):
        self._lock = threading.Lock()
        self._scripts = {}
        self._table = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._table.execute("create table rows (id integer primary key, key text unique, value text)")
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        if self.listening:
            self.listen()
        return self

    def __exit__(self, *exc_info):
        # shutdown wakes the thread that waits in accept; where nobody listens there is none
        if self.listening:
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def listen(self):
        self.listening = True
        self._socket.listen(128)
        threading.Thread(target=self._accept, daemon=True).start()

    def script(self, path, *faults):
        """What happens to the requests of a path, one after the other."""
        self._scripts[path] = list(faults)

    def sent(self, path=None):
        """The requests so far."""
        return [seen for seen in self.seen if path in (None, seen.path)]

    @property
    def rows(self):
        """What the table holds, as (key, value)."""
        with self._lock:
            return self._table.execute("select key, value from rows order by id").fetchall()

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, connection.makefile("rb") as stream:
            try:
                while self._answer_one(connection, stream):
                    pass
            except OSError:
                pass  # the client went away

    def _answer_one(self, connection, stream):
        seen = read_request(stream)
        if seen is None:
            return False
        with self._lock:
            self.seen.append(seen)
            script = self._scripts.get(seen.path) or [Answer()]
            fault = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(fault, Drop):
            if fault.commits:
                self._commit(seen)
            if fault.in_body:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[1, 2,")
            if fault.reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        time.sleep(fault.delay)
        commits = fault.status < 300 if fault.commits is None else fault.commits
        result = self._commit(seen) if commits else {"error": fault.status}
        body = json.dumps(result) if fault.body is None else fault.body
        connection.sendall(answer_bytes(fault, seen.method, body.encode()))
        return True

    def _commit(self, seen):
        """POST inserts, PUT and an upsert merge, DELETE deletes, the others read."""
        value = seen.body.decode() or None
        merge = "merge-duplicates" in seen.headers.get("prefer", "") or seen.method == "PUT"
        with self._lock:
            if seen.method == "DELETE":
                self._table.execute("delete from rows")
            elif seen.method in ("POST", "PUT", "PATCH"):
                verb = "insert or replace" if merge else "insert"
                self._table.execute(
                    f"{verb} into rows (key, value) values (?, ?)", (seen.path if merge else None, value)
                )
            return self._table.execute("select id, value from rows order by id").fetchall()


def read_request(stream):
    line = stream.readline().decode().split()
    if len(line) != 3:
        return None
    headers = {}
    while header := stream.readline().decode().strip():
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    if headers.get("transfer-encoding") == "chunked":
        while size := int(stream.readline(), 16):
            body += stream.read(size)
            stream.readline()
        stream.readline()
    return Seen(time.monotonic(), line[0], line[1].partition("?")[0], headers, body)


def answer_bytes(answer, method, body):
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *answer.headers]
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {answer.status} X\r\n{head}\r\n".encode() + (b"" if method == "HEAD" else body)
