/**
 * API keys in VS Code's secret storage. The server gets them in its environment, under the names
 * that `env_key` in the config tells.
 *
 * Invariant: a key is on no command line and in no file or log, and in an untrusted workspace it
 * stays where it is.
 */

import { type Disposable, EventEmitter, type Memento, type SecretStorage } from "vscode";
import { mayHoldKey } from "./key_names.js";

const INDEX = "keys";

export class Keys implements Disposable {
  // What another window stores is told before the index of that window gets here.
  private readonly heard = new Set<string>();
  private readonly changed = new EventEmitter<void>();
  private readonly subscription: Disposable;

  /** A key was stored or removed, in whichever window. */
  readonly onDidChange = this.changed.event;

  constructor(
    private readonly secrets: SecretStorage,
    private readonly state: Memento,
  ) {
    this.subscription = secrets.onDidChange(({ key: name }) => {
      this.heard.add(name);
      this.changed.fire();
    });
  }

  /** The variables that have a key. */
  get names(): string[] {
    return this.state.get<string[]>(INDEX, []);
  }

  async store(name: string, key: string): Promise<void> {
    await this.state.update(INDEX, [...new Set([...this.names, name])].sort());
    await this.secrets.store(name, key);
  }

  async remove(name: string): Promise<void> {
    await this.secrets.delete(name);
    await this.state.update(
      INDEX,
      this.names.filter((each) => each !== name),
    );
  }

  /** The variables to start the server with. */
  async environment(): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const name of [...this.names, ...this.heard].filter(mayHoldKey)) {
      const key = await this.secrets.get(name);
      if (key) {
        found[name] = key;
      }
    }
    return found;
  }

  dispose(): void {
    this.subscription.dispose();
    this.changed.dispose();
  }
}
