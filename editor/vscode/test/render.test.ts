import { describe, expect, test } from "vitest";
import { mayHoldKey, whyNoVariable } from "../src/key_names.js";
import type { AttestationResult, ClaimName, ProviderStatus } from "../src/methods.js";
import { additions, heading, modelIds, requestBody } from "../src/render/answer.js";
import { report } from "../src/render/report.js";
import { line, markdown, plain } from "../src/render/text.js";
import { tooltip } from "../src/render/tooltip.js";
import { tree } from "../src/render/tree.js";
import { isAttested, isUsable, judge, label, reason, spoken } from "../src/render/words.js";
import { foremost, Statuses } from "../src/statuses.js";

const NAMES: ClaimName[] = [
  "tls",
  "quote-format",
  "quote-signature",
  "collateral",
  "td-attributes",
  "tcb-status",
  "freshness",
  "channel-binding",
  "event-log",
  "measurements",
];

function result(changes: Partial<AttestationResult> = {}): AttestationResult {
  return {
    verdict: "affirmed",
    provider: "tee",
    origin: "https://tee.example:443",
    tee: "tdx",
    simulated: false,
    tcbStatus: "UpToDate",
    advisoryIds: [],
    channelBinding: "tls-exporter",
    measurements: { mrtd: "ab".repeat(48) },
    claims: NAMES.map((name) => ({ name, verdict: "passed" })),
    appraisedAt: "2026-01-01T12:00:00Z",
    collateralExpiresAt: "2026-02-01T00:00:00Z",
    tcbEvaluationDataNumber: 20,
    evidenceSha256: "00",
    ...changes,
  };
}

function status(changes: Partial<ProviderStatus> = {}): ProviderStatus {
  return {
    provider: "tee",
    uri: "file:///c.toml",
    range: { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } },
    state: "affirmed",
    result: result(),
    checkedAt: "2026-01-01T12:00:00Z",
    ...changes,
  };
}

const REFUSED = status({
  state: "rejected",
  result: result({
    verdict: "rejected",
    claims: NAMES.map((name) =>
      name === "channel-binding"
        ? { name, verdict: "failed", reason: "[click](command:evil) \u001b[2J\u202e" }
        : { name, verdict: "passed" },
    ),
  }),
});

describe("words", () => {
  test("attested is said of what is affirmed in state and result alone", () => {
    expect(judge(status()).word).toBe("attested");
    for (const state of [
      "disabled",
      "invalid",
      "untrusted",
      "unchecked",
      "checking",
      "rejected",
      "unreachable",
      "stale",
    ] as const) {
      expect(judge(status({ state })).word).not.toMatch(/^attested/);
      expect(isAttested(status({ state }))).toBe(false);
    }
    expect(isAttested(status({ result: result({ verdict: "rejected" }) }))).toBe(false);
    expect(isAttested(status({ result: undefined }))).toBe(false);
  });

  test("no sentence calls attested what is not, nor too old what could not be renewed", () => {
    const error = { code: "unreachable-tcp", message: "cannot connect to tee.example" };
    const simulated = { ...REFUSED.result, simulated: true } as AttestationResult;
    for (const [stale, why] of [
      [status({ state: "stale" }), "Last attested 2026-01-01 12:00:00 UTC, which is too long ago"],
      [status({ state: "stale", error }), "Last attested 2026-01-01 12:00:00 UTC; that could not"],
      [
        status({ state: "stale", error, result: simulated }),
        "Last rejected (SIMULATED) 2026-01-01 12:00:00 UTC; that could not",
      ],
    ] as const) {
      expect(reason(stale)).toContain(why);
      expect(reason(stale).includes("too long ago")).toBe(stale.error === undefined);
      for (const shown of [spoken(stale), tree([stale])[0]?.tooltip, report(stale)]) {
        const words = shown?.replace(/\n +/g, " ");
        expect(words).toContain(why);
        expect(words).toContain(stale.error?.message ?? "too long ago");
        expect(words).not.toMatch(/^(?!.*(not|last)).*attested/im);
      }
      expect(tooltip(stale, "1")).toContain(markdown(reason(stale)));
    }
  });

  test("simulated is said wherever it is shown", () => {
    const simulated = status({ result: result({ simulated: true }) });
    expect(judge(simulated).word).toContain("SIMULATED");
    expect(tooltip(simulated, "1")).toContain("SIMULATED");
    expect(report(simulated)).toContain("SIMULATED");
    expect(tree([simulated])[0]?.description).toContain("SIMULATED");
  });

  test("a status that is allowed but not the best is a warning", () => {
    expect(judge(status({ result: result({ tcbStatus: "OutOfDate" }) })).tone).toBe("warning");
    expect(judge(status({ result: result({ advisoryIds: ["INTEL-SA-1"] }) })).tone).toBe("warning");
  });

  test("a prompt is offered for none that is not attested, or whose config has errors", () => {
    expect(isUsable(status())).toBe(true);
    expect(isUsable(status({ state: "unchecked" }))).toBe(true);
    expect(isUsable(status({ state: "disabled" }))).toBe(false);
    expect(isUsable(status({ state: "invalid" }))).toBe(false);
  });

  test("what is wrong with each state that is not attested is said", () => {
    const told = new Map<ProviderStatus["state"], RegExp>([
      ["disabled", /^use_ratls is not true, so Codex reaches it over plain TLS\.$/],
      ["invalid", /errors.*nothing is contacted/],
      ["untrusted", /not trusted.*nothing is contacted/],
      ["unchecked", /^Not attested yet\.$/],
      ["checking", /being fetched/],
      ["rejected", /not every claim/i],
      ["unreachable", /could not be reached/],
    ]);
    for (const [state, words] of told) {
      expect(reason(status({ state }))).toMatch(words);
    }
  });

  test("a refusal says why", () => {
    expect(reason(REFUSED)).toContain("click");
  });
});

describe("what a server says", () => {
  test("is fitted onto a line soon, however many blanks it has", () => {
    const begun = performance.now();
    expect(line(`a \n\n b${" ".repeat(100_000)}c`)).toHaveLength(601);
    expect(performance.now() - begun).toBeLessThan(1000);
  });

  test("draws no links, colours or lines", () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    const control = /[\u0000-\u0009\u000b-\u001f\u202a-\u202e]/;
    for (const shown of [tooltip(REFUSED, "1"), report(REFUSED), reason(REFUSED)]) {
      expect(shown).not.toMatch(control);
    }
    expect(tooltip(REFUSED, "1")).not.toContain("[click](command:evil)");
    expect(line("a\nb\u0007c")).not.toContain("\u0007");
    expect(markdown("<a>*b*[c](d)")).not.toContain("[c](d)");
    expect(plain("$(pass) [c](command:d)")).toBe("$ (pass) [c] (command:d)");
    const [provider] = tree([status({ provider: "$(pass)" })]);
    expect(provider?.label).toBe("$ (pass)");
  });
});

describe("a report", () => {
  const long = `${"word ".repeat(30).trim()} ${"ab".repeat(48)}`;
  const refused = status({
    state: "rejected",
    result: result({
      verdict: "rejected",
      measurements: { composeHash: "cd".repeat(48) },
      claims: [{ name: "measurements", verdict: "failed", reason: long, expected: "x" }],
    }),
  });

  test("says first what failed, and breaks sentences but no value", () => {
    const lines = report(refused).split("\n");
    expect(lines[3]).toBe("Verdict            REJECTED");
    expect(lines[4]).toBe("Failed             measurements");
    const prose = lines.filter((each) => each.includes("word"));
    expect(prose.length).toBeGreaterThan(1);
    expect(Math.max(...prose.map((each) => each.length))).toBeLessThanOrEqual(91);
    expect(lines).toContain(`compose_hash       ${"cd".repeat(48)}`);
    expect(lines).toContain(`${" ".repeat(19)}${"ab".repeat(48)}`);
  });

  test("is of Intel TDX only if that was attested", () => {
    expect(report(status())).toContain("Platform           Intel TDX");
    expect(report(refused)).not.toContain("Intel TDX");
  });
});

describe("tree", () => {
  test("has providers, claims and values, each spoken", () => {
    const [provider, ...others] = tree([
      status({ state: "disabled", provider: "plain" }),
      status(),
      status({ state: "invalid", provider: "other" }),
    ]);
    expect(others.map((other) => other.label)).toEqual(["other"]);
    expect(provider?.context).toBe("provider-affirmed");
    expect(provider?.children.map((claim) => claim.label)).toHaveLength(10);
    const values = provider?.children.at(-1)?.children ?? [];
    expect(values.map((value) => value.copy)).toEqual(["ab".repeat(48)]);
    expect(provider?.spoken).toBe(
      "Provider tee: attested. Genuine Intel TDX, TCB UpToDate, bound by tls-exporter",
    );
    expect(values[0]?.spoken).toBe(`Measurement mrtd: begins with ${"ab".repeat(8)}`);
    expect(tree([REFUSED])[0]?.context).toBe("provider");
  });

  test("says whose config it is where two have a provider of that name", () => {
    const places = (...uris: string[]) =>
      tree([...uris.map((uri) => status({ uri })), status({ provider: "other" })]).map(
        (node) => node.description,
      );
    expect(places("file:///c.toml")).toEqual(["attested", "attested"]);
    expect(places("file:///h/config.toml", "file:///h/w.config.toml", "untitled:$(x)")).toEqual([
      "attested · config.toml",
      "attested · w.config.toml",
      "attested · untitled:$ (x)",
      "attested",
    ]);
    expect(places("file:///a/b/c.toml", "file:///b/c.toml", "file:///a/d/c.toml")).toEqual([
      "attested · a/b/c.toml",
      "attested · /b/c.toml",
      "attested · d/c.toml",
      "attested",
    ]);
    const [mine] = tree([status(), status({ uri: "file:///d.toml" })]);
    expect(mine?.spoken).toMatch(/^Provider tee: attested\..* In c\.toml$/);
  });
});

describe("answers", () => {
  test("bodies fit their API", () => {
    expect(requestBody("responses", "m", "p")).toEqual({ model: "m", input: "p", stream: true });
    expect(requestBody("chat/completions", "m", "p")).toHaveProperty("messages");
    expect(heading("a\nb")).toBe("> a\n> b\n\n");
  });

  test("the head says that it was attested, and what HTTP says of a failure", () => {
    const head = (code: number) =>
      additions()({ kind: "head", status: code, headers: [], attestation: result() });
    expect(head(200)).toBe(
      "Attested: Genuine Intel TDX · TCB UpToDate · bound by tls-exporter · https://tee.example:443\n\n",
    );
    expect(head(399)).not.toContain("HTTP");
    expect(head(400)).toContain(" · HTTP 400\n");
    expect(head(503)).toContain(" · HTTP 503\n");
  });

  test("text comes out of both kinds of events, and of nothing else", () => {
    const event = (data: string) =>
      additions()({ kind: "event", event: "message", data, id: null });
    expect(event('{"choices":[{"delta":{"content":"x"}}]}')).toBe("x");
    expect(event('{"type":"response.output_text.delta","delta":"y"}')).toBe("y");
    for (const data of ["[DONE]", "null", "1", "{}", '{"choices":1}', "{"]) {
      expect(event(data)).toBe("");
    }
    expect(modelIds({ data: [{ id: "a" }, {}, null] })).toEqual(["a"]);
    expect(modelIds("x")).toEqual([]);
  });
});

describe("an answer in parts", () => {
  const shown = (...deltas: string[]) => {
    const addition = additions();
    return deltas.map((content) =>
      addition({
        kind: "event",
        event: "message",
        data: JSON.stringify({ choices: [{ delta: { content } }] }),
        id: null,
      }),
    );
  };

  test("keeps scripts and emoji whole", () => {
    const whole = "می\u200cخواهم 👨\u200d👩\u200d👧 Donau\u00addampf";
    expect(shown(whole)).toEqual([whole]);
    expect(shown("\ud83d", "", "\ude00!")).toEqual(["", "", "😀!"]);
    expect(shown("a\r", "\nb")).toEqual(["a", "\nb"]);
  });

  test("hides nothing and turns nothing round", () => {
    expect(shown("\u202eabc\u2066\u200b\ufeff\u{e0041}\u001b[2J").join("")).toBe(
      "\\u{202e}abc\\u{2066}\\u{200b}\\u{feff}\\u{e0041}\\u{1b}[2J",
    );
    expect(shown("\ud83d", "x")).toEqual(["", "\\u{d83d}x"]);
    expect(line("a\u200db")).toBe("a\\u{200d}b");
  });
});

describe("which provider matters", () => {
  test("the default one of the config in front of the user comes first", () => {
    const other = status({ uri: "file:///d.toml", provider: "other", default: true });
    const mine = status({ default: true });
    expect(foremost([other, mine], ["file:///c.toml"])).toBe(mine);
    expect(foremost([other, mine], ["file:///x.ts", "file:///d.toml"])).toBe(other);
    expect(foremost([], [undefined])).toBeUndefined();
  });

  test("none that is attested stands in for the default one", () => {
    const openai = status({ provider: "openai", state: "disabled", default: true });
    const own = { ...openai, uri: "file:///own.toml", result: undefined };
    const shown = foremost([status({ default: true }), own], ["file:///x.ts", own.uri]);
    expect(shown).toBe(own);
    expect(shown && label(shown)).toBe("openai: not attested");
    expect(shown && reason(shown)).toContain("Codex uses it by default, over plain TLS");
    expect(foremost([status({ default: true }), own], [undefined])).toBe(own);
    expect(foremost([status()], ["file:///c.toml"])).toBeUndefined();
  });

  test("it is named, whatever its name", () => {
    expect(label(status())).toBe("tee: attested");
    expect(label(status({ provider: "$(pass)\u202e" }))).toBe("$ (pass)\\u{202e}: attested");
    expect(label(status({ provider: "x".repeat(999) })).length).toBeLessThan(60);
    expect(tooltip(status(), "1")).toContain("Default provider of /c&#46;toml");
  });

  test("what is told of one takes the place of what was known", () => {
    const mine = status();
    const statuses = new Statuses();
    statuses.update(mine);
    statuses.update(status({ state: "stale" }));
    expect(statuses.all.map((each) => each.state)).toEqual(["stale"]);
  });
});

describe("names", () => {
  test("of variables that may hold a key", () => {
    expect(mayHoldKey("MY_KEY")).toBe(true);
    expect(mayHoldKey("MY_SSL_KEY")).toBe(true);
    for (const name of [
      "PATH",
      "LD_PRELOAD",
      "PYTHONPATH",
      "SSL_CERT_FILE",
      "SSLKEYLOGFILE",
      "OPENSSL_CONF",
      "BASH_ENV",
      "HTTPS_PROXY",
      "a b",
      "",
    ]) {
      expect(mayHoldKey(name)).toBe(false);
    }
    // Who gives the key is told that its name is wanted, and not what they gave.
    expect(whyNoVariable("sk-abc")).toMatch(/^Not the key yet: the name/);
    expect(whyNoVariable("PATH")).toBe("This variable cannot hold a key.");
    expect(whyNoVariable("MY_KEY")).toBeUndefined();
  });
});
