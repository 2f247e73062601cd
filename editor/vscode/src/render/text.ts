/**
 * Text of a server or a provider, made fit to be shown. Pure.
 *
 * Invariant: what comes out has no control, bidirectional or invisible character that could hide or
 * reorder what a person reads, and, for Markdown, none that Markdown gives a meaning.
 */

const MAX_LENGTH = 600;
// From the first of the blanks alone: from each of many, it would be sought through all the rest.
const LINE_BREAK = /(?<!\s)\s*\n\s*/g;
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;
// Also the soft hyphen, and the joiner and non-joiner without which Persian and emoji fall apart.
const IN_PROSE = "\n\t\u00ad\u200c\u200d";
const MARKDOWN = /[\\`*_{}[\]()#+\-.!|<>~$&@:]/g;

/** One line of plain text. */
export function line(text: string): string {
  const whole = text.replace(LINE_BREAK, "; ");
  const cut = whole.length > MAX_LENGTH ? `${whole.slice(0, MAX_LENGTH)}…` : whole;
  return cut.replace(UNSEEN, escaped);
}

/**
 * The same for a label, a title or a message of VS Code: nothing in it becomes an icon, or a link,
 * which there may run any command.
 */
export function plain(text: string): string {
  return line(text).replaceAll("$(", "$ (").replaceAll("](", "] (");
}

/** Several lines of plain text, in which emoji and scripts are joined as they are to be. */
export function lines(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replace(UNSEEN, (character) =>
      IN_PROSE.includes(character) ? character : escaped(character),
    );
}

/** One line of Markdown that reads as `text` does, with no link, image, icon or HTML in it. */
export function markdown(text: string): string {
  return line(text).replace(MARKDOWN, (character) => `&#${character.codePointAt(0)};`);
}

/** RFC 3339 as people read it; the text itself if it is none. */
export function moment(time: string | null | undefined): string {
  if (!time) {
    return "at an unknown time";
  }
  const found = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}(?::\d{2})?)(?:\.\d+)?Z$/.exec(time);
  return found ? `${found[1]} ${found[2]} UTC` : line(time);
}

/** A measurement as the config calls it: `composeHash` is `compose_hash` there. */
export function measurementName(name: string): string {
  return line(name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
}

/** The path of a file URI; any other URI as it is. */
export function path(uri: string): string {
  try {
    const url = new URL(uri);
    return line(url.protocol === "file:" ? decodeURIComponent(url.pathname) : uri);
  } catch {
    return line(uri);
  }
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `\\u{${code.toString(16)}}`;
}
