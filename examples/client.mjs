#!/usr/bin/env node
// Send a prompt over an attested connection: a whole client of ratls-ls, without dependencies.
//
//   client.mjs PROVIDER PATH BODY        e.g.  client.mjs vllm-tee /responses '{"model": …}'
//   client.mjs PROVIDER PATH < body.json       a prompt that is in no list of processes
//
// docs/protocol.md describes the messages. RATLS_LS names the server's command.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

const [provider, path, body = readFileSync(0, "utf8")] = process.argv.slice(2);
const [command, ...options] = (process.env.RATLS_LS ?? "ratls-ls").split(" ");
const server = spawn(command, [...options, "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
const waiting = new Map();
let nextId = 1;

function send(message) {
  const bytes = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }));
  server.stdin.write(`Content-Length: ${bytes.length}\r\n\r\n`);
  server.stdin.write(bytes);
}

function request(method, params) {
  const id = nextId++;
  send({ id, method, params });
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

function show(part) {
  if (part.kind === "head") {
    const { verdict, origin, simulated } = part.attestation;
    console.error(`${verdict}: ${origin}${simulated ? " (SIMULATED)" : ""}`);
  } else {
    console.log(part.data ?? part.text ?? part.base64);
  }
}

function receive(message) {
  if (message.method === "$/progress") return show(message.params.value);
  if (message.method !== undefined && message.id !== undefined) {
    // A question of the server's: not supported.
    return send({ id: message.id, error: { code: -32601, message: "not supported" } });
  }
  const { resolve, reject } = waiting.get(message.id) ?? {};
  if (message.error !== undefined) reject?.(message.error);
  else resolve?.(message.result);
}

let received = Buffer.alloc(0);
server.stdout.on("data", (chunk) => {
  received = Buffer.concat([received, chunk]);
  for (;;) {
    const end = received.indexOf("\r\n\r\n");
    if (end < 0) return;
    const length = Number(/content-length: *(\d+)/i.exec(received.toString("latin1", 0, end))[1]);
    if (received.length < end + 4 + length) return;
    const message = JSON.parse(received.toString("utf8", end + 4, end + 4 + length));
    received = received.subarray(end + 4 + length);
    receive(message);
  }
});

try {
  await request("initialize", { processId: process.pid, rootUri: null, capabilities: {} });
  send({ method: "initialized", params: {} });
  const params = { provider, path, body: JSON.parse(body), partialResultToken: "answer" };
  const result = await request("attestedRequest", params);
  console.error(`HTTP ${result.status}`);
} catch (error) {
  console.error(`failed (${error.code}): ${error.message}`);
  process.exitCode = 1;
}
await request("shutdown", null);
send({ method: "exit" });
