#!/usr/bin/env python3
"""Send a prompt over an attested connection: a whole client of ratls-ls, without dependencies.

    client.py PROVIDER PATH BODY        e.g.  client.py vllm-tee /responses '{"model": …}'
    client.py PROVIDER PATH < body.json       a prompt that is in no list of processes

docs/protocol.md describes the messages. RATLS_LS names the server's command.
"""

import json
import os
import shlex
import subprocess
import sys


def send(server, message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    server.stdin.flush()


def messages(server):
    """Every message of the server, until it ends."""
    while header := server.stdout.readline():
        name, _, value = header.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
        elif header == b"\r\n":
            yield json.loads(server.stdout.read(length))


def answer_to(server, request_id, method, params, on_part=lambda part: None):
    """The result of a request; the parts of a streamed one go to `on_part` meanwhile."""
    send(server, {"id": request_id, "method": method, "params": params})
    for message in messages(server):
        if message.get("method") == "$/progress":
            on_part(message["params"]["value"])
        elif "method" in message and "id" in message:  # a question of the server's: not supported
            error = {"code": -32601, "message": "not supported"}
            send(server, {"id": message["id"], "error": error})
        elif message.get("id") == request_id:
            if error := message.get("error"):
                sys.exit(f"{method} failed ({error['code']}): {error['message']}")
            return message["result"]
    sys.exit("the server ended")


def show(part):
    if part["kind"] == "head":
        result = part["attestation"]
        simulated = " (SIMULATED)" if result["simulated"] else ""
        print(f"{result['verdict']}: {result['origin']}{simulated}", file=sys.stderr)
    else:
        print(part.get("data") or part.get("text") or part.get("base64"), flush=True)


def main(provider, path, body=None):
    command = [*shlex.split(os.environ.get("RATLS_LS", "ratls-ls")), "--stdio"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        start = {"processId": os.getpid(), "rootUri": None, "capabilities": {}}
        answer_to(server, 1, "initialize", start)
        send(server, {"method": "initialized", "params": {}})
        params = {"provider": provider, "path": path, "partialResultToken": "answer"}
        params["body"] = json.loads(body or sys.stdin.read())
        result = answer_to(server, 2, "attestedRequest", params, show)
        print(f"HTTP {result['status']}", file=sys.stderr)
        answer_to(server, 3, "shutdown", None)
        send(server, {"method": "exit"})


if __name__ == "__main__":
    main(*sys.argv[1:])
