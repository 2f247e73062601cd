/**
 * Answers as read-only documents that grow.
 *
 * Invariant: prompt and answer are in memory only. Such a document is not backed up by VS Code as
 * an unsaved one is, and what it held is forgotten when it is closed.
 */

import {
  CancellationTokenSource,
  type Disposable,
  EventEmitter,
  type Tab,
  TabInputText,
  type TextDocumentContentProvider,
  Uri,
  ViewColumn,
  window,
  workspace,
} from "vscode";

const SCHEME = "ratls-answer";
// Often enough to read along, seldom enough not to keep the editor busy.
const SHOW_MILLISECONDS = 50;

/** `cancellation` is cancelled when its last editor is closed. */
interface Answer {
  readonly cancellation: CancellationTokenSource;
  append(text: string): void;
}

export class AnswerView implements TextDocumentContentProvider, Disposable {
  private readonly texts = new Map<string, string>();
  private readonly answers = new Map<string, CancellationTokenSource>();
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly changed = new EventEmitter<Uri>();
  private readonly subscriptions: Disposable[];
  private count = 0;

  readonly onDidChange = this.changed.event;

  constructor() {
    this.subscriptions = [
      workspace.registerTextDocumentContentProvider(SCHEME, this),
      // The document itself is kept by VS Code for minutes after its editor is closed.
      window.tabGroups.onDidChangeTabs(({ closed }) => {
        for (const tab of closed) {
          const uri = answerIn(tab);
          if (uri && !isShown(uri)) {
            this.close(uri);
          }
        }
      }),
    ];
  }

  /** A new document beside the present one, that begins with `text`. */
  async open(provider: string, text: string): Promise<Answer> {
    this.count += 1;
    const name = `${provider.replace(/[^\w.-]/g, "_")} ${this.count}.md`;
    const uri = Uri.from({ scheme: SCHEME, path: `/${name}` });
    const key = uri.toString();
    const cancellation = new CancellationTokenSource();
    this.texts.set(key, text);
    this.answers.set(key, cancellation);
    const document = await workspace.openTextDocument(uri);
    await window.showTextDocument(document, { viewColumn: ViewColumn.Beside, preview: false });
    return {
      cancellation,
      append: (added) => {
        const known = this.texts.get(key);
        if (known !== undefined) {
          this.texts.set(key, known + added);
          this.showSoon(uri);
        }
      },
    };
  }

  provideTextDocumentContent(uri: Uri): string {
    return this.texts.get(uri.toString()) ?? "";
  }

  dispose(): void {
    for (const key of [...this.answers.keys()]) {
      this.close(Uri.parse(key));
    }
    for (const each of [...this.subscriptions, this.changed]) {
      each.dispose();
    }
  }

  private showSoon(uri: Uri): void {
    const key = uri.toString();
    if (!this.timers.has(key)) {
      const show = () => {
        this.timers.delete(key);
        this.changed.fire(uri);
      };
      this.timers.set(key, setTimeout(show, SHOW_MILLISECONDS));
    }
  }

  private close(uri: Uri): void {
    const key = uri.toString();
    clearTimeout(this.timers.get(key));
    this.answers.get(key)?.cancel();
    this.answers.get(key)?.dispose();
    for (const map of [this.timers, this.answers, this.texts]) {
      map.delete(key);
    }
  }
}

/** The answer that a tab shows, if it shows one. */
function answerIn({ input }: Tab): Uri | undefined {
  return input instanceof TabInputText && input.uri.scheme === SCHEME ? input.uri : undefined;
}

function isShown(uri: Uri): boolean {
  const tabs = window.tabGroups.all.flatMap((group) => group.tabs);
  return tabs.some((tab) => answerIn(tab)?.toString() === uri.toString());
}
