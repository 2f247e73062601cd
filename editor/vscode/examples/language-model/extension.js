/**
 * The models of attested providers as language models of VS Code.
 *
 * Invariant: every prompt goes through `attestedRequest`; there is no other way out of here.
 */

const vscode = require("vscode");

/** @typedef {import("../../src/api.js").RatlsApi} RatlsApi */
/** @typedef {vscode.LanguageModelChatInformation & { provider: string, uri: string }} Model */

const VENDOR = "attested";
const API_VERSION = 1;
const MAX_TOKENS = 32_768;
const CHARACTERS_PER_TOKEN = 4;

/** @implements {vscode.LanguageModelChatProvider<Model>} */
class AttestedModels {
  /** @param {RatlsApi} ratls */
  constructor(ratls) {
    this.ratls = ratls;
    this.changed = new vscode.EventEmitter();
    this.onDidChangeLanguageModelChatInformation = this.changed.event;
    ratls.onDidChangeStatus(() => this.changed.fire(undefined));
  }

  /** The models of the providers that are attested at this moment. */
  async provideLanguageModelChatInformation() {
    const statuses = await this.ratls.attestationStatus();
    const affirmed = statuses.filter(({ state }) => state === "affirmed");
    const found = await Promise.allSettled(affirmed.map((status) => this.modelsOf(status)));
    return found.flatMap((each) => (each.status === "fulfilled" ? each.value : []));
  }

  /**
   * @param {Model} model
   * @param {readonly vscode.LanguageModelChatRequestMessage[]} messages
   * @param {vscode.ProvideLanguageModelChatResponseOptions} _options
   * @param {vscode.Progress<vscode.LanguageModelResponsePart>} progress
   * @param {vscode.CancellationToken} token
   */
  async provideLanguageModelChatResponse(model, messages, _options, progress, token) {
    const body = { model: model.family, messages: messages.map(message), stream: true };
    const { provider, uri } = model;
    await this.ratls.attestedRequest(
      { provider, uri, path: "/chat/completions", body },
      (part) => {
        const text = part.kind === "event" ? delta(part.data) : "";
        if (text) {
          progress.report(new vscode.LanguageModelTextPart(text));
        }
      },
      token,
    );
  }

  /**
   * @param {Model} _model
   * @param {string | vscode.LanguageModelChatRequestMessage} given
   */
  async provideTokenCount(_model, given) {
    const text = typeof given === "string" ? given : message(given).content;
    return Math.ceil(text.length / CHARACTERS_PER_TOKEN);
  }

  /**
   * @param {import("../../src/methods.js").ProviderStatus} status
   * @returns {Promise<Model[]>}
   */
  async modelsOf({ provider, uri }) {
    const { body } = await this.ratls.attestedRequest({ provider, uri, path: "/models" });
    const listed = /** @type {{ data?: { id: string }[] }} */ (body).data ?? [];
    return listed.map(({ id }) => ({
      id: JSON.stringify([uri, provider, id]),
      name: `${id} (${provider}, attested)`,
      family: id,
      version: "1",
      maxInputTokens: MAX_TOKENS,
      maxOutputTokens: MAX_TOKENS,
      capabilities: {},
      provider,
      uri,
    }));
  }
}

/** @param {vscode.ExtensionContext} context */
async function activate(context) {
  /** @type {vscode.Extension<RatlsApi> | undefined} */
  const extension = vscode.extensions.getExtension("ratls.ratls");
  const ratls = await extension?.activate();
  if (ratls?.version !== API_VERSION) {
    throw new Error(`this needs version ${API_VERSION} of the API of ratls.ratls`);
  }
  context.subscriptions.push(
    vscode.lm.registerLanguageModelChatProvider(VENDOR, new AttestedModels(ratls)),
    vscode.commands.registerCommand("attestedModels.ask", ask),
  );
}

/** Ask as any extension would, that knows of no attestation. */
async function ask() {
  const [model] = await vscode.lm.selectChatModels({ vendor: VENDOR });
  const prompt = model && (await vscode.window.showInputBox({ title: `Ask ${model.name}` }));
  if (!prompt) {
    return;
  }
  const response = await model.sendRequest([vscode.LanguageModelChatMessage.User(prompt)]);
  let answer = "";
  for await (const text of response.text) {
    answer += text;
  }
  const document = await vscode.workspace.openTextDocument({
    language: "markdown",
    content: answer,
  });
  await vscode.window.showTextDocument(document);
}

/** @param {vscode.LanguageModelChatRequestMessage} given */
function message({ role, content }) {
  const texts = content.filter((part) => part instanceof vscode.LanguageModelTextPart);
  return {
    role: role === vscode.LanguageModelChatMessageRole.Assistant ? "assistant" : "user",
    content: texts.map(({ value }) => value).join(""),
  };
}

/**
 * The text in one event of a chat completion.
 * @param {string} data
 * @returns {string}
 */
function delta(data) {
  return data === "[DONE]" ? "" : (JSON.parse(data).choices?.[0]?.delta?.content ?? "");
}

module.exports = { activate };
