/** Something that must never be printed: a credential, a token, words of an upstream. */
export interface Canary {
  /** Names it in a report, in place of its value. */
  readonly name: string;
  readonly value: string;
}

/** A piece of a token or credential of 20 characters is a leak, wherever it stands; encoded it is longer. */
const TELLING_LENGTH = 20;
const TELLING_LENGTHS: Readonly<Record<string, number>> = { base64: 27, base64url: 27, hex: 40 };
/** Below this a piece may stand somewhere by chance; such a canary must be there whole. */
const SHORTEST_LENGTH = 8;

/** The ways in which a text may come to stand in a log, a body or a file, by name. */
export function formsOf(value: string): ReadonlyMap<string, readonly string[]> {
  const bytes = Buffer.from(value);
  const hex = bytes.toString('hex');
  const percent = encodeURIComponent(value);
  const json = JSON.stringify(value).slice(1, -1);
  const base64 = alignedBase64(bytes);
  return new Map([
    ['plain', [value]],
    ['percent', [percent, percent.replace(/%../g, (code) => code.toLowerCase()), everyByte(bytes)]],
    ['form', [new URLSearchParams({ v: value }).toString().slice(2)]],
    ['base64', base64],
    ['base64url', base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))],
    ['hex', [hex, hex.toUpperCase()]],
    ['JSON', [json, JSON.stringify(json).slice(1, -1), asciiJson(value)]],
    ['latin1', [bytes.toString('latin1')]],
  ]);
}

/** Searches texts for canaries in every form; gives `name as form` for each that is there. */
export function createCanarySearch(canaries: readonly Canary[]): (text: string) => readonly string[] {
  const pieces = new Map<string, string>();
  for (const { name, value } of canaries) {
    if (value.length < SHORTEST_LENGTH) throw new Error(`The canary ${name} is too short to be told from chance.`);
    for (const [form, texts] of formsOf(value)) {
      for (const piece of texts.flatMap((whole) => piecesOf(whole, TELLING_LENGTHS[form]))) {
        if (!pieces.has(piece)) pieces.set(piece, `${name} as ${form}`);
      }
    }
  }
  const byLength = Map.groupBy(pieces.keys(), (piece) => piece.length);

  return (text) => {
    const found = new Set<string>();
    for (const [length, sought] of byLength) {
      const wanted = new Set(sought);
      for (let from = 0; from + length <= text.length; from += 1) {
        const piece = text.slice(from, from + length);
        if (wanted.has(piece)) found.add(pieces.get(piece) ?? piece);
      }
    }
    return [...found].sort();
  };
}

/** Lists every substring of that length, or the whole if it is shorter. */
function piecesOf(text: string, length = TELLING_LENGTH): readonly string[] {
  if (text.length <= length) return [text];
  return Array.from({ length: text.length - length + 1 }, (_, at) => text.slice(at, at + length));
}

/** The characters that base64 of any text containing these bytes has, for each of the three places they can begin at. */
function alignedBase64(bytes: Buffer): readonly string[] {
  return [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    return encoded.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
  });
}

function everyByte(bytes: Buffer): string {
  return bytes.toString('hex').replace(/../g, (code) => `%${code}`);
}

function asciiJson(value: string): string {
  return JSON.stringify(value)
    .slice(1, -1)
    .replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
