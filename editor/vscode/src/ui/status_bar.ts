/** The status of the provider that matters now, in the status bar. */

import {
  type Disposable,
  MarkdownString,
  StatusBarAlignment,
  type StatusBarItem,
  ThemeColor,
  window,
} from "vscode";
import { tooltip } from "../render/tooltip.js";
import { judge, spoken, type Tone } from "../render/words.js";
import type { Session } from "../session.js";
import { foremost } from "../statuses.js";

const BACKGROUNDS: Partial<Record<Tone, string>> = {
  bad: "statusBarItem.errorBackground",
  warning: "statusBarItem.warningBackground",
};

export class StatusBar implements Disposable {
  private readonly item: StatusBarItem;
  private readonly subscriptions: Disposable[];

  constructor(private readonly session: Session) {
    this.item = window.createStatusBarItem("ratls.status", StatusBarAlignment.Left, 0);
    this.item.name = "Attestation";
    this.item.command = "ratls.showActions";
    this.subscriptions = [
      session.onDidChange(() => this.update()),
      window.onDidChangeActiveTextEditor(() => this.update()),
    ];
    this.update();
  }

  dispose(): void {
    for (const each of [...this.subscriptions, this.item]) {
      each.dispose();
    }
  }

  private update(): void {
    const { server, statuses } = this.session;
    const status = foremost(statuses.all, window.activeTextEditor?.document.uri.toString());
    if (!server.isRunning) {
      const why = "The language server is not running.";
      this.show("workspace-unknown", "not attested", `Attestation: not attested. ${why}`);
      this.item.tooltip = why;
    } else if (status) {
      const { icon, tone, word } = judge(status);
      this.show(icon, word, spoken(status), tone);
      this.item.tooltip = new MarkdownString(tooltip(status, server.version), true);
    } else {
      this.item.hide();
    }
  }

  private show(icon: string, word: string, label: string, tone: Tone = "neutral"): void {
    const background = BACKGROUNDS[tone];
    this.item.text = `$(${icon}) ${word}`;
    this.item.backgroundColor = background ? new ThemeColor(background) : undefined;
    this.item.accessibilityInformation = { label };
    this.item.show();
  }
}
