/** Stands before a server, counts who comes, and holds its answers back when told to. */

import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class Gate {
  connections = 0;
  private readonly open = new Map<Socket, Socket>();
  private held = false;
  private readonly server: Server;

  private constructor(port: number) {
    this.server = createServer((socket) => {
      this.connections += 1;
      const behind = connect(port, "127.0.0.1");
      this.open.set(socket, behind);
      socket.on("close", () => this.open.delete(socket));
      for (const [one, other] of [
        [socket, behind],
        [behind, socket],
      ] as const) {
        one.on("error", () => other.destroy());
        one.on("close", () => other.destroy());
      }
      socket.pipe(behind);
      if (!this.held) {
        behind.pipe(socket);
      }
    });
  }

  /** Before each server that the config names; the config with the gates in their place. */
  static async before(config: string): Promise<{ config: string; gates: Gate[] }> {
    const gates: Gate[] = [];
    let gated = config;
    for (const [, host, port] of config.matchAll(/\/\/(localhost|127\.0\.0\.1):(\d+)/g)) {
      const gate = new Gate(Number(port));
      await new Promise<void>((resolve) => gate.server.listen(0, "127.0.0.1", resolve));
      const own = (gate.server.address() as AddressInfo).port;
      gated = gated.replace(`//${host}:${port}`, `//${host}:${own}`);
      gates.push(gate);
    }
    return { config: gated, gates };
  }

  /** How many are connected now. */
  get connected(): number {
    return this.open.size;
  }

  /** Nothing more comes from the server. */
  hold(): void {
    this.held = true;
    for (const behind of this.open.values()) {
      behind.unpipe();
    }
  }

  /** Whoever comes next is answered again. */
  release(): void {
    this.held = false;
  }

  close(): void {
    this.server.close();
  }
}
