// Matchers as Alertmanager writes them: {alertname="DiskFull", host=~"db-.*"}, braces and quotes where they are needed.

export type Operator = "=" | "!=" | "=~" | "!~";
export const operators: Operator[] = ["=", "!=", "=~", "!~"];

export interface Matcher {
  name: string;
  op: Operator;
  value: string;
}

export interface MatcherFault {
  message: string;
  /** Places in the text. */
  start: number;
  end: number;
}

export interface ParsedMatchers {
  matchers: Matcher[];
  fault: MatcherFault | null;
}

type Labels = Record<string, string>;

const plainName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const bare = /^[^\s{}!=~,"'`\\]+/;
const escapes: Record<string, string> = { n: "\n", t: "\t", r: "\r", '"': '"', "\\": "\\", "'": "'" };

class Fault extends Error {
  constructor(
    message: string,
    readonly start: number,
    readonly end: number,
  ) {
    super(message);
  }
}

/** Nothing is every alert. What stands before a fault is kept. */
export function parseMatchers(text: string): ParsedMatchers {
  const reader = new Reader(text);
  const matchers: Matcher[] = [];
  try {
    reader.list(matchers);
    return { matchers, fault: null };
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    const { message, start, end } = cause;
    return { matchers, fault: { message, start, end: Math.max(end, start + 1) } };
  }
}

class Reader {
  private at = 0;
  constructor(private readonly text: string) {}

  list(into: Matcher[]): void {
    const open = this.take("{") ? this.at - 1 : null;
    let wanted = false;
    while (!this.ended() && this.peek() !== "}") {
      into.push(this.matcher());
      wanted = this.take(",");
      if (!wanted) break;
    }
    if (open !== null && !this.take("}")) {
      if (this.ended()) throw new Fault("The brace { is not closed", open, open + 1);
      throw new Fault("Between two matchers stands a comma", this.at, this.text.length);
    }
    this.skip();
    if (this.at < this.text.length)
      throw new Fault(
        this.peek() === "}" ? "There is no { to this brace" : "Between two matchers stands a comma",
        this.at,
        this.text.length,
      );
  }

  private matcher(): Matcher {
    const start = this.at;
    const name = this.word("a label's name");
    const op = this.operator(name, start);
    this.skip();
    const valueAt = this.at;
    const value = this.ended() || /[,}]/.test(this.peek()) ? "" : this.word("a value");
    const problem = op.endsWith("~") ? regexProblem(value) : null;
    if (problem) throw new Fault(problem, valueAt, this.at);
    return { name, op, value };
  }

  private operator(name: string, start: number): Operator {
    this.skip();
    const found = /^(=~|!~|!=|=)/.exec(this.text.slice(this.at))?.[1] as Operator | undefined;
    if (!found) {
      const said = `After ${name} an operator is missing: write ${quotedName(name)}="…", or !=, =~, !~`;
      const isNameAlone = this.ended() || /[,}]/.test(this.peek());
      throw new Fault(said, isNameAlone ? start : this.at, isNameAlone ? start + name.length : this.at + 1);
    }
    this.at += found.length;
    return found;
  }

  private word(what: string): string {
    this.skip();
    if (this.peek() === '"') return this.quoted();
    const found = bare.exec(this.text.slice(this.at))?.[0];
    if (!found)
      throw new Fault(`Here stands ${what}; odd characters want double quotes`, this.at, this.at + 1);
    this.at += found.length;
    return found;
  }

  private quoted(): string {
    const start = this.at;
    let value = "";
    for (this.at += 1; this.at < this.text.length; this.at += 1) {
      const character = this.text[this.at] ?? "";
      if (character === '"') {
        this.at += 1;
        return value;
      }
      if (character !== "\\") {
        value += character;
        continue;
      }
      this.at += 1;
      const escaped = this.text[this.at] ?? "";
      // As Alertmanager: what is no escape stays as it is written, so that \d and \. need no second backslash.
      value += escapes[escaped] ?? `\\${escaped}`;
    }
    throw new Fault("The quote is not closed", start, this.text.length);
  }

  private take(character: string): boolean {
    this.skip();
    if (this.peek() !== character) return false;
    this.at += 1;
    this.skip();
    return true;
  }

  private skip(): void {
    while (/\s/.test(this.peek())) this.at += 1;
  }

  private ended(): boolean {
    this.skip();
    return this.at >= this.text.length;
  }

  private peek(): string {
    return this.text[this.at] ?? "";
  }
}

/** One matcher, with its value in quotes. */
export function formatMatcher({ name, op, value }: Matcher): string {
  return `${quotedName(name)}${op}${JSON.stringify(value)}`;
}

export function formatMatchers(matchers: Matcher[]): string {
  return `{${matchers.map(formatMatcher).join(", ")}}`;
}

function quotedName(name: string): string {
  return plainName.test(name) ? name : JSON.stringify(name);
}

/** Those that find just these labels. */
export function matchersOf(labels: Labels): Matcher[] {
  return Object.entries(labels)
    .sort(([a], [b]) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1))
    .map(([name, value]) => ({ name, op: "=", value }));
}

function rankOf(name: string): number {
  return name === "alertname" ? 0 : 1;
}

/** Does every matcher hold? A label that is missing is empty. */
export function matchesAll(matchers: Matcher[], labels: Labels): boolean {
  return matchers.every((matcher) => matches(matcher, labels[matcher.name] ?? ""));
}

export function matches({ op, value }: Matcher, text: string): boolean {
  if (op === "=") return text === value;
  if (op === "!=") return text !== value;
  const found = regexOf(value)?.test(text) ?? false;
  return op === "=~" ? found : !found;
}

/** What keeps a text from being a regular expression; null when it is one. */
export function regexProblem(value: string): string | null {
  return regexOf(value) ? null : `${value} is no regular expression`;
}

const compiled = new Map<string, RegExp | null>();

/** The server's are RE2, always of the whole text; what both know is enough for a list on the screen. */
function regexOf(value: string): RegExp | null {
  const before = compiled.get(value);
  if (before !== undefined) return before;
  if (compiled.size > 200) compiled.clear();
  const [, flags = "", rest = value] = /^\(\?([is]+)\)(.*)$/s.exec(value) ?? [];
  let made: RegExp | null = null;
  try {
    made = new RegExp(`^(?:${rest.replaceAll("(?P<", "(?<")})$`, flags);
  } catch {
    made = null;
  }
  compiled.set(value, made);
  return made;
}
