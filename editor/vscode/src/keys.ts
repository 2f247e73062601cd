/**
 * API keys in VS Code's secret storage. The server gets them in its environment, under the names
 * that `env_key` in the config tells.
 *
 * Invariant: a key is on no command line and in no file or log, and in an untrusted workspace it
 * stays where it is.
 */

import type { Memento, SecretStorage } from "vscode";
import { mayHoldKey } from "./key_names.js";

const INDEX = "keys";

export class Keys {
  constructor(
    private readonly secrets: SecretStorage,
    private readonly state: Memento,
  ) {}

  /** The variables that have a key. */
  get names(): string[] {
    return this.state.get<string[]>(INDEX, []);
  }

  async store(name: string, key: string): Promise<void> {
    await this.secrets.store(name, key);
    await this.state.update(INDEX, [...new Set([...this.names, name])].sort());
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
    for (const name of this.names.filter(mayHoldKey)) {
      const key = await this.secrets.get(name);
      if (key) {
        found[name] = key;
      }
    }
    return found;
  }
}
