/** The tree "Attested Providers". */

import {
  type Disposable,
  EventEmitter,
  ThemeColor,
  ThemeIcon,
  type TreeDataProvider,
  TreeItem,
  TreeItemCollapsibleState,
  type TreeView,
  window,
  workspace,
} from "vscode";
import { type TreeNode, tree } from "../render/tree.js";
import { type Tone, UNTRUSTED } from "../render/words.js";
import type { Session } from "../session.js";

const COLORS: Partial<Record<Tone, ThemeColor>> = {
  good: new ThemeColor("testing.iconPassed"),
  warning: new ThemeColor("list.warningForeground"),
  bad: new ThemeColor("testing.iconFailed"),
};

export class ProvidersView implements TreeDataProvider<TreeNode>, Disposable {
  private readonly changed = new EventEmitter<void>();
  private readonly view: TreeView<TreeNode>;
  private readonly subscription: Disposable;
  private nodes: TreeNode[] = [];

  readonly onDidChangeTreeData = this.changed.event;

  constructor(private readonly session: Session) {
    this.view = window.createTreeView("ratls.providers", { treeDataProvider: this });
    this.subscription = session.onDidChange(() => {
      this.view.message = workspace.isTrusted ? undefined : UNTRUSTED;
      this.update();
    });
  }

  getChildren(node?: TreeNode): TreeNode[] {
    return node ? node.children : this.nodes;
  }

  getTreeItem(node: TreeNode): TreeItem {
    const state =
      node.children.length === 0
        ? TreeItemCollapsibleState.None
        : TreeItemCollapsibleState.Collapsed;
    const item = new TreeItem(node.label, state);
    item.id = node.id;
    item.description = node.description;
    item.tooltip = node.tooltip;
    item.contextValue = node.context;
    item.accessibilityInformation = { label: node.spoken };
    item.iconPath = new ThemeIcon(node.icon, COLORS[node.tone]);
    return item;
  }

  /** Show the tree anew if it is another one: VS Code takes its time for each. */
  private update(): void {
    const nodes = tree(this.session.statuses.all);
    if (JSON.stringify(nodes) !== JSON.stringify(this.nodes)) {
      this.nodes = nodes;
      this.changed.fire();
    }
  }

  dispose(): void {
    for (const each of [this.subscription, this.view, this.changed]) {
      each.dispose();
    }
  }
}
