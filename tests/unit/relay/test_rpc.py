"""LastingRpc: a connection that was closed while idle is opened again."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from perennial.chain import AT_ONCE, NodeError, RpcError
from perennial.relay.rpc import LastingRpc


class Node(BaseHTTPRequestHandler):
    """Answers a request, then closes the connection without a word, as load balancers do with idle ones."""

    protocol_version = "HTTP/1.1"
    asked = largest = 0
    closes = True

    def do_POST(self):
        type(self).asked += 1
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        error = {"error": {"code": -32000, "message": "no"}}
        if isinstance(request, list):
            type(self).largest = max(self.largest, len(request))
        answers = [
            {"id": each["id"], **(error if each["method"] == "refuse" else {"result": each["params"]})}
            for each in (request if isinstance(request, list) else [request])
        ]
        body = json.dumps(answers if isinstance(request, list) else answers[0]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = self.closes

    def log_message(self, *_):
        """Says nothing."""


@pytest.fixture
def node():
    Node.asked = 0
    with HTTPServer(("127.0.0.1", 0), Node) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        rpc = LastingRpc(f"http://127.0.0.1:{server.server_port}")
        yield rpc
        rpc.close()
        server.shutdown()
        thread.join()


def test_asks_again(node):
    assert [node.call("echo", number) for number in range(3)] == [[0], [1], [2]]
    assert [node.batch([("echo", [number]), ("echo", [])]) for number in range(3)] == [[[0], []], [[1], []], [[2], []]]


def test_many_at_once_are_more_than_one_batch(node, monkeypatch):
    """A node refuses too many as a whole: who could make them many would keep it from being asked at all."""
    monkeypatch.setattr(Node, "closes", False)

    assert node.batch([("echo", [number]) for number in range(1_234)]) == [[number] for number in range(1_234)]
    assert Node.largest == AT_ONCE


def test_a_refusal_is_an_answer(node):
    with pytest.raises(RpcError, match="no"):
        node.call("refuse")
    node.close()
    with pytest.raises(RpcError, match="no"):
        node.batch([("refuse", [])])

    assert Node.asked == 2


def test_nobody_there():
    rpc = LastingRpc("http://127.0.0.1:9")

    with pytest.raises(NodeError, match="does not answer"):
        rpc.call("echo")
    with pytest.raises(NodeError, match="does not answer"):
        rpc.batch([("echo", [])])
