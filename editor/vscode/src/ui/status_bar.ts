/**
 * The status of the default provider, in the status bar.
 *
 * Invariant: it says "attested" of nothing but the provider that Codex uses by default, by name.
 */

import {
  type Disposable,
  MarkdownString,
  StatusBarAlignment,
  type StatusBarItem,
  ThemeColor,
  window,
} from "vscode";
import { tooltip } from "../render/tooltip.js";
import { judge, label, spoken, type Tone } from "../render/words.js";
import type { Session } from "../session.js";

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
    const { server, statuses, foremost: status } = this.session;
    if (!server.isRunning) {
      this.showNone("The language server is not running.");
    } else if (status) {
      const { icon, tone } = judge(status);
      this.show(icon, label(status), spoken(status), tone);
      this.item.tooltip = new MarkdownString(tooltip(status, server.version), true);
    } else if (statuses.all.length > 0) {
      this.showNone("No config that is known says which provider Codex uses by default.");
    } else {
      this.item.hide();
    }
  }

  private showNone(why: string): void {
    this.show("workspace-unknown", "not attested", `Attestation: not attested. ${why}`);
    this.item.tooltip = why;
  }

  private show(icon: string, text: string, heard: string, tone: Tone = "neutral"): void {
    const background = BACKGROUNDS[tone];
    this.item.text = `$(${icon}) ${text}`;
    this.item.backgroundColor = background ? new ThemeColor(background) : undefined;
    this.item.accessibilityInformation = { label: heard };
    this.item.show();
  }
}
