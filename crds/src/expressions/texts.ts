import { exhausted, type Frame, spend } from './frame.ts';
import { expressionLimits } from './limits.ts';
import { Fault, type Result, type Value } from './value.ts';

/**
 * Functions of text. Each pays for the length of what it goes through before it does, so that what has
 * used up its steps stops at once. What a step buys is measured on texts that are made to be slow.
 */

const notTexts = new Fault('a list to join holds something else than strings');
const tooLong = new Fault(`a string of more than ${expressionLimits.string} characters`);

/** A text that has just been put together. V8 copies it later, when it is read. */
export function concatenated(frame: Frame, text: string): Result {
  if (text.length > expressionLimits.string) return tooLong;
  return spend(frame, text.length >> 6) ? exhausted : text;
}

/** Whether there are steps left to look for a part: V8's search takes up to 0.3 ns for each pair of units. */
export function maySearch(frame: Frame, text: string, part: string): boolean {
  return !spend(frame, (text.length >> 4) + ((text.length * part.length) >> 8));
}

export function startsWith(frame: Frame, text: string, part: string): Result {
  return spend(frame, part.length >> 4) ? exhausted : text.startsWith(part);
}

export function endsWith(frame: Frame, text: string, part: string): Result {
  return spend(frame, part.length >> 4) ? exhausted : text.endsWith(part);
}

export function contains(frame: Frame, text: string, part: string): Result {
  return maySearch(frame, text, part) ? text.includes(part) : exhausted;
}

/** @param most of the pieces, the last of which holds the rest; negative: all. */
export function split(frame: Frame, text: string, separator: string, most = -1n): Result {
  if (most === 0n) return [];
  const pieces = piecesOf(frame, text, separator);
  if (pieces === undefined) return exhausted;
  if (most < 0n || BigInt(pieces.length) <= most) return pieces;
  const count = Number(most) - 1;
  return [...pieces.slice(0, count), pieces.slice(count).join(separator)];
}

/** Nothing separates all characters. */
function piecesOf(frame: Frame, text: string, separator: string): string[] | undefined {
  if (!maySearch(frame, text, separator)) return undefined;
  const pieces = separator === '' ? Array.from(text) : text.split(separator);
  return spend(frame, pieces.length >> 1) ? undefined : pieces;
}

/** @param most how many of the places are replaced; negative: all. */
export function replace(
  frame: Frame,
  text: string,
  part: string,
  replacement: string,
  most = -1n,
): Result {
  const found = piecesOf(frame, text, part);
  if (found === undefined) return exhausted;
  // Nothing is found in front of every character and behind the last.
  const pieces = part === '' ? ['', ...found, ''] : found;
  const places = pieces.length - 1;
  const count = most < 0n || most > BigInt(places) ? places : Number(most);
  const length = text.length + count * (replacement.length - part.length);
  if (length > expressionLimits.string) return tooLong;
  const rest = pieces.slice(count).join(part);
  return concatenated(frame, [...pieces.slice(0, count), rest].join(replacement));
}

export function joined(frame: Frame, list: readonly Value[], separator = ''): Result {
  if (spend(frame, list.length >> 1)) return exhausted;
  let length = 0;
  for (const item of list) {
    if (typeof item !== 'string') return notTexts;
    length += item.length + separator.length;
  }
  if (length - separator.length > expressionLimits.string) return tooLong;
  return concatenated(frame, list.join(separator));
}

export function lowered(frame: Frame, text: string): Result {
  if (spend(frame, text.length >> 4)) return exhausted;
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, (part) => part.toLowerCase()) : text;
}

export function raised(frame: Frame, text: string): Result {
  if (spend(frame, text.length >> 4)) return exhausted;
  return /[a-z]/.test(text) ? text.replace(/[a-z]+/g, (part) => part.toUpperCase()) : text;
}

/** Unicode's White_Space, which String.trim differs from. */
const space = /[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

export function trimmed(frame: Frame, text: string): Result {
  let start = 0;
  let end = text.length;
  while (start < end && space.test(text.charAt(start))) start++;
  while (end > start && space.test(text.charAt(end - 1))) end--;
  return spend(frame, text.length - (end - start)) ? exhausted : text.slice(start, end);
}
