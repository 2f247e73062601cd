/** Attestation reports as read-only documents that follow the status. */

import {
  type Disposable,
  EventEmitter,
  languages,
  type TextDocumentContentProvider,
  Uri,
  window,
  workspace,
} from "vscode";
import type { ProviderStatus } from "../methods.js";
import { report } from "../render/report.js";
import type { Session } from "../session.js";

const SCHEME = "ratls-report";
const LANGUAGE = "ratls-report";

export class ReportView implements TextDocumentContentProvider, Disposable {
  private readonly changed = new EventEmitter<Uri>();
  private readonly subscriptions: Disposable[];

  readonly onDidChange = this.changed.event;

  constructor(private readonly session: Session) {
    this.subscriptions = [
      workspace.registerTextDocumentContentProvider(SCHEME, this),
      session.onDidChange(() => {
        for (const { uri } of workspace.textDocuments.filter(isReport)) {
          this.changed.fire(uri);
        }
      }),
    ];
  }

  async show({ uri, provider }: ProviderStatus): Promise<void> {
    const name = provider.replace(/[^\w.-]/g, "_");
    const query = JSON.stringify([uri, provider]);
    const document = await workspace.openTextDocument(
      Uri.from({ scheme: SCHEME, path: `/Attestation of ${name}`, query }),
    );
    await languages.setTextDocumentLanguage(document, LANGUAGE);
    await window.showTextDocument(document, { preview: true });
  }

  /** The status that the report in front of the user speaks of. */
  get shown(): ProviderStatus | undefined {
    const document = window.activeTextEditor?.document;
    return document && isReport(document) ? this.statusOf(document.uri) : undefined;
  }

  provideTextDocumentContent(uri: Uri): string {
    const status = this.statusOf(uri);
    if (status) {
      return report(status);
    }
    return this.session.server.isRunning
      ? "This provider is no longer in the config.\n"
      : "The language server is not running.\n";
  }

  dispose(): void {
    for (const each of [...this.subscriptions, this.changed]) {
      each.dispose();
    }
  }

  private statusOf(uri: Uri): ProviderStatus | undefined {
    try {
      const [config, provider] = JSON.parse(uri.query) as [string, string];
      return this.session.statuses.get(config, provider);
    } catch {
      return undefined; // somebody else made this URI
    }
  }
}

function isReport(document: { uri: Uri }): boolean {
  return document.uri.scheme === SCHEME;
}
