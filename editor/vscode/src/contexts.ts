/** What the `when` clauses of package.json look at: `ratls.running` and so on. */

import { commands, Disposable } from "vscode";
import type { Keys } from "./keys.js";
import { isUsable } from "./render/words.js";
import type { Session } from "./session.js";

export function keepContexts(session: Session, keys: Keys): Disposable {
  const known = new Map<string, boolean>();
  const set = (name: string, value: boolean) => {
    if (known.get(name) !== value) {
      known.set(name, value);
      void commands.executeCommand("setContext", `ratls.${name}`, value);
    }
  };
  const update = () => {
    set("active", true);
    set("running", session.server.isRunning);
    set("hasProviders", session.statuses.all.some(isUsable));
    set("hasKeys", keys.names.length > 0);
  };
  update();
  return Disposable.from(session.onDidChange(update), keys.onDidChange(update));
}
