/** The one language server of this window: started when it is needed, and again when things change. */

import { setTimeout } from "node:timers/promises";
import {
  type Disposable,
  EventEmitter,
  type ExtensionContext,
  type LogOutputChannel,
  workspace,
} from "vscode";
import { type LanguageClient, State } from "vscode-languageclient/node";
import { createClient } from "./client.js";
import type { Keys } from "./keys.js";
import { complainOfStart, findServer, setUp } from "./server/setup.js";

// A server that has not started by then is left behind.
const HANGS_MILLISECONDS = 10_000;

export class Server implements Disposable {
  private client: LanguageClient | undefined;
  private asked = false;
  private uses = 0;
  private isOutdated = false;
  /** Settles when those before the present client have ended. */
  private stopped = Promise.resolve();
  private readonly created = new EventEmitter<LanguageClient>();
  private readonly changed = new EventEmitter<void>();

  /** A new client, before it starts. */
  readonly onDidCreate = this.created.event;
  /** It runs, or does no more. */
  readonly onDidChange = this.changed.event;

  constructor(
    private readonly context: ExtensionContext,
    private readonly output: LogOutputChannel,
    private readonly keys: Keys,
  ) {}

  get isRunning(): boolean {
    return this.client?.state === State.Running;
  }

  get version(): string | undefined {
    return this.client?.initializeResult?.serverInfo?.version;
  }

  /**
   * The running client; undefined if there is no server to be had. Where one must be set up first
   * the user is asked once, and again on `insist`.
   */
  async start(insist = false): Promise<LanguageClient | undefined> {
    let client: LanguageClient | undefined;
    try {
      client = this.client ?? (await this.create(insist));
      await client?.start();
      return client;
    } catch (error) {
      if (client && client === this.client) {
        // It would fail for ever; the next one may find another program.
        void this.stop();
      }
      void this.mend(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  /** Restart it, if it was started, once nothing runs on it any more. */
  renew(): void {
    this.isOutdated = this.client !== undefined;
    this.renewIfIdle();
  }

  /** What `running` gives; it is not broken off by `renew`. */
  async use<T>(running: Promise<T>): Promise<T> {
    this.uses += 1;
    try {
      return await running;
    } finally {
      this.uses -= 1;
      this.renewIfIdle();
    }
  }

  async restart(): Promise<void> {
    this.isOutdated = false;
    await this.stop();
    await this.start(true);
  }

  /** Set up the server that the extension carries, whatever runs now, and start it. */
  async setUp(): Promise<void> {
    if (await setUp(this.context, this.output, true)) {
      await this.restart();
    }
  }

  async dispose(): Promise<void> {
    await this.stop();
    this.created.dispose();
    this.changed.dispose();
  }

  private renewIfIdle(): void {
    if (this.isOutdated && this.uses === 0) {
      void this.restart();
    }
  }

  private async mend(why: string): Promise<void> {
    if (await complainOfStart(why, this.output)) {
      await this.setUp();
    }
  }

  private async create(insist: boolean): Promise<LanguageClient | undefined> {
    const ask = insist || !this.asked;
    this.asked = true;
    const program = await findServer(this.context, this.output, ask);
    await this.stopped;
    const keys = workspace.isTrusted ? await this.keys.environment() : {};
    // Somebody else may have been quicker while the user was asked.
    if (program && !this.client) {
      const cwd = this.context.extensionPath;
      this.client = createClient({ program, cwd, keys }, this.output);
      this.client.onDidChangeState(({ newState }) => {
        if (newState === State.Running) {
          this.output.info(`ratls-ls ${this.version ?? "of no version"} runs: ${program}`);
        }
        this.changed.fire();
      });
      this.created.fire(this.client);
    }
    return this.client;
  }

  private stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    this.stopped = this.stopped.then(() => end(client)).then(() => this.changed.fire());
    return this.stopped;
  }
}

async function end(client: LanguageClient | undefined): Promise<void> {
  if (client?.state === State.Starting) {
    // It cannot be stopped before it has started, and would stand in the way of the next.
    const started = client.start().catch(() => undefined);
    await Promise.race([started, setTimeout(HANGS_MILLISECONDS, undefined, { ref: false })]);
  }
  await client?.dispose().catch(() => undefined);
}
