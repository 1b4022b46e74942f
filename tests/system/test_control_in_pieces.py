"""The control socket does not mind in what pieces requests come and answers go: here, of one byte each."""

import fcntl
import json
import select
import socket
import struct
import termios
import threading
import time
import unittest

import lab
from drop_in import DropInLab, socket_of


def is_read(target):
    """Whether the other end has taken everything that was sent there."""
    return struct.unpack("i", fcntl.ioctl(target, termios.TIOCOUTQ, bytes(4)))[0] == 0


def send_in_bytes(target, data):
    """Each byte once the one before was read."""
    deadline = time.monotonic() + lab.GENEROUS
    for byte in data:
        target.sendall(bytes([byte]))
        while not is_read(target):
            if time.monotonic() > deadline:
                raise AssertionError("nobody reads")


def relay_in_bytes(client, server):
    ends = {client: server, server: client}
    while ends:
        for source in select.select(list(ends), [], [])[0]:
            if data := source.recv(65536):
                send_in_bytes(ends[source], data)
            else:
                ends.pop(source).shutdown(socket.SHUT_WR)


class ControlSocket(DropInLab):
    def relay(self, interface, target):
        """A second name for a control socket: what passes through it, either way, comes in pieces of one byte."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(socket_of(interface)))
        listener.listen()

        def serve():
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client, socket.socket(socket.AF_UNIX) as server:
                    server.connect(str(socket_of(target)))
                    try:
                        relay_in_bytes(client, server)
                    except OSError:
                        pass  # `wg` looks whether somebody is there, and is gone before it is served

        thread = threading.Thread(target=serve)
        thread.start()
        self.addCleanup(lambda: (listener.shutdown(socket.SHUT_RDWR), thread.join(), listener.close()))

    def test_works_as_in_one(self):
        self.start_both()
        self.relay("wg9", "wg1")
        more = lab.Keys().public
        self.wg(self.one, "set", "wg9", "peer", more, "allowed-ips", "10.9.0.0/16,fd09::/32", "endpoint", "[::1]:9")
        self.expect_tunnel()
        self.assertIn(more, self.wg(self.one, "show", "wg1", "peers"))
        self.assertEqual(self.wg(self.one, "show", "wg9", "dump"), self.wg(self.one, "show", "wg1", "dump"))
        self.assertEqual(self.wg(self.one, "showconf", "wg9"), self.wg(self.one, "showconf", "wg1"))
        show = (lab.ADIT, "show", "--json")
        direct, relayed = (json.loads(self.run_on(self.one, *show, name, check=True).stdout) for name in ("wg1", "wg9"))
        self.assertLess(direct.pop("time"), relayed.pop("time"))
        self.assertEqual(relayed, direct)
        self.wg(self.one, "syncconf", "wg9", self.one.directory / "wg1.conf")
        self.assertNotIn(more, self.wg(self.one, "show", "wg1", "peers"))
        self.expect_tunnel()

    def test_may_hold_many_requests_and_an_answer_of_any_size(self):
        self.start(self.one, "wg1")
        peers = "".join(f"public_key={number:064x}\n" for number in range(2, 1500))
        self.assertEqual(self.ask("wg1", f"set=1\n{peers}\n"), "errno=0\n\n")
        whole = self.ask("wg1", "get=1\n\n")
        with_port = whole.replace("public_key", "listen_port=4000\npublic_key", 1)
        conversation = (
            ("set=1\nlisten_port=4000\n\n", "errno=0\n\n"), ("get=1\n\n", with_port),
            ("set=1\nfrobnicate=1\n\n", "errno=-22\n\n"), ("get=1\n\n", with_port),
        )
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(lab.GENEROUS)
            client.connect(str(socket_of("wg1")))
            for request, answer in conversation:
                send_in_bytes(client, request.encode())
                self.assertEqual(b"".join(client.recv(1) for _ in answer).decode(), answer)


if __name__ == "__main__":
    unittest.main()
