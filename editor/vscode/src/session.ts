/** What the rest of the extension and other extensions ask of the server. */

import { randomUUID } from "node:crypto";
import {
  type CancellationToken,
  commands,
  type Disposable,
  EventEmitter,
  type TextDocument,
  window,
  workspace,
} from "vscode";
import { type LanguageClient, ProgressType } from "vscode-languageclient/node";
import { ownConfig } from "./config_file.js";
import {
  ATTEST_COMMAND,
  ATTESTATION_STATUS,
  ATTESTATION_STATUS_CHANGED,
  ATTESTED_REQUEST,
  type AttestationStatusParams,
  type AttestationStatusResult,
  type AttestedRequestParams,
  type AttestedRequestPart,
  type AttestedRequestResult,
  PIN_MEASUREMENTS_COMMAND,
  type ProviderStatus,
} from "./methods.js";
import type { Server } from "./server.js";
import { foremost, Statuses } from "./statuses.js";

// An edit is told to the server at once, but what follows of it need not be shown at every key.
const PAUSE_MILLISECONDS = 200;

export class Session implements Disposable {
  readonly statuses = new Statuses();
  private readonly changed = new EventEmitter<void>();
  private readonly statusChanged = new EventEmitter<ProviderStatus>();
  private readonly subscriptions: Disposable[];
  private pause: NodeJS.Timeout | undefined;

  /** Anything that is shown may have changed. */
  readonly onDidChange = this.changed.event;
  readonly onDidChangeStatus = this.statusChanged.event;

  constructor(readonly server: Server) {
    this.subscriptions = [
      server.onDidCreate((client) => this.listen(client)),
      server.onDidChange(() => this.refreshSoon(0)),
      workspace.onDidOpenTextDocument((document) => this.touched(document)),
      workspace.onDidChangeTextDocument(({ document }) => this.touched(document)),
      workspace.onDidCloseTextDocument((document) => this.touched(document)),
    ];
  }

  /** Of the provider that Codex uses by default: by the config in front, else by the user's own. */
  get foremost(): ProviderStatus | undefined {
    const active = window.activeTextEditor?.document.uri;
    return foremost(this.statuses.all, [active?.toString(), ownConfig().toString()]);
  }

  async request(
    params: AttestedRequestParams,
    onPart?: (part: AttestedRequestPart) => void,
    token?: CancellationToken,
  ): Promise<AttestedRequestResult> {
    const client = await this.client();
    // A token that is there and undefined would be sent as a second parameter.
    const send = (all: AttestedRequestParams): Promise<AttestedRequestResult> =>
      token
        ? client.sendRequest(ATTESTED_REQUEST, all, token)
        : client.sendRequest(ATTESTED_REQUEST, all);
    if (!onPart) {
      return await this.server.use(send(params));
    }
    const partialResultToken = randomUUID();
    const parts = client.onProgress(
      new ProgressType<AttestedRequestPart>(),
      partialResultToken,
      onPart,
    );
    try {
      return await this.server.use(send({ ...params, partialResultToken }));
    } finally {
      parts.dispose();
    }
  }

  async status(params: AttestationStatusParams = {}): Promise<ProviderStatus[]> {
    return (await this.ask(params)).providers;
  }

  /** Attest now; one provider, all of a config, or all. The user is told of what fails. */
  async attest(uri?: string, provider?: string): Promise<void> {
    await this.client();
    await commands.executeCommand(ATTEST_COMMAND, uri ?? null, provider ?? null);
    await this.refresh();
  }

  async pin({ uri, provider }: ProviderStatus): Promise<void> {
    await this.client();
    await commands.executeCommand(PIN_MEASUREMENTS_COMMAND, uri, provider);
  }

  /** Ask anew for all statuses. */
  async refresh(): Promise<void> {
    const nothing = { providers: [], defaults: [] };
    const known = this.server.isRunning ? await this.ask({}).catch(() => undefined) : nothing;
    if (known) {
      this.statuses.replace([...known.providers, ...(known.defaults ?? [])]);
    }
    this.changed.fire();
  }

  dispose(): void {
    clearTimeout(this.pause);
    for (const each of [...this.subscriptions, this.changed, this.statusChanged]) {
      each.dispose();
    }
  }

  private async ask(params: AttestationStatusParams): Promise<AttestationStatusResult> {
    const client = await this.client();
    return await client.sendRequest<AttestationStatusResult>(ATTESTATION_STATUS, params);
  }

  private async client(): Promise<LanguageClient> {
    const client = await this.server.start(true);
    if (!client) {
      throw new Error("the language server is not running");
    }
    return client;
  }

  private listen(client: LanguageClient): void {
    client.onNotification(ATTESTATION_STATUS_CHANGED, (status: ProviderStatus) => {
      this.statuses.update(status);
      this.statusChanged.fire(status);
      this.changed.fire();
    });
  }

  private touched(document: TextDocument): void {
    if (document.languageId === "toml") {
      this.refreshSoon(PAUSE_MILLISECONDS);
    }
  }

  private refreshSoon(milliseconds: number): void {
    clearTimeout(this.pause);
    this.pause = setTimeout(() => void this.refresh(), milliseconds);
  }
}
