import { concatenated } from './arithmetic.ts';
import { type Frame, spend } from './frame.ts';
import { expressionLimits } from './limits.ts';
import { Fault, type Result, type Value } from './value.ts';

/** CEL counts characters, JavaScript units of UTF-16. Positions are characters here. */

const outside = new Fault('a position outside of the text');
const inverted = new Fault('the end lies before the start');
const notTexts = new Fault('a list to join holds something else than strings');
export const tooLong = new Fault(`a string of more than ${expressionLimits.string} characters`);

const isHigh = (unit: number) => unit >= 0xd800 && unit < 0xdc00;
const isLow = (unit: number) => unit >= 0xdc00 && unit < 0xe000;

function unitsAt(text: string, index: number): 1 | 2 {
  return isHigh(text.charCodeAt(index)) && isLow(text.charCodeAt(index + 1)) ? 2 : 1;
}

/** Characters in front of a unit. */
export function characters(frame: Frame, text: string, end = text.length): number {
  frame.steps += end >> 5;
  let count = 0;
  for (let index = 0; index < end; index += unitsAt(text, index)) count++;
  return count;
}

/** The unit at which a character starts; undefined when there are fewer. */
function unitOf(frame: Frame, text: string, position: bigint): number | undefined {
  frame.steps += text.length >> 5;
  if (position < 0n || position > BigInt(text.length)) return undefined;
  let index = 0;
  for (let left = Number(position); left > 0; left--) {
    if (index >= text.length) return undefined;
    index += unitsAt(text, index);
  }
  return index;
}

export function characterAt(frame: Frame, text: string, position: bigint): Result {
  const start = unitOf(frame, text, position);
  if (start === undefined) return outside;
  return text.slice(start, start + unitsAt(text, start));
}

export function substring(frame: Frame, text: string, from: bigint, to?: bigint): Result {
  const start = unitOf(frame, text, from);
  const end = to === undefined ? text.length : unitOf(frame, text, to);
  if (start === undefined || end === undefined) return outside;
  return start > end ? inverted : text.slice(start, end);
}

export function positionOf(frame: Frame, text: string, part: string, from = 0n): Result {
  const start = unitOf(frame, text, from);
  if (start === undefined) return outside;
  frame.steps += text.length >> 6;
  const found = text.indexOf(part, start);
  return found === -1 ? -1n : BigInt(characters(frame, text, found));
}

export function lastPositionOf(frame: Frame, text: string, part: string, from?: bigint): Result {
  const start = from === undefined ? text.length : unitOf(frame, text, from);
  if (start === undefined) return outside;
  frame.steps += text.length >> 4;
  const found = text.lastIndexOf(part, start);
  return found === -1 ? -1n : BigInt(characters(frame, text, found));
}

/** @param most of the pieces, the last of which holds the rest; negative: all. */
export function split(frame: Frame, text: string, separator: string, most = -1n): Result {
  if (most === 0n) return [];
  const pieces = separator === '' ? Array.from(text) : text.split(separator);
  frame.steps += (text.length >> 4) + pieces.length;
  if (most < 0n || BigInt(pieces.length) <= most) return pieces;
  const count = Number(most) - 1;
  return [...pieces.slice(0, count), pieces.slice(count).join(separator)];
}

/** @param most how many of the places are replaced; negative: all. */
export function replace(
  frame: Frame,
  text: string,
  part: string,
  replacement: string,
  most = -1n,
): Result {
  // Nothing is found in front of every character and behind the last.
  const pieces = part === '' ? ['', ...text, ''] : text.split(part);
  frame.steps += (text.length >> 4) + pieces.length;
  const places = pieces.length - 1;
  const count = most < 0n || most > BigInt(places) ? places : Number(most);
  const length = text.length + count * (replacement.length - part.length);
  if (length > expressionLimits.string) return tooLong;
  frame.steps += length >> 6;
  const rest = pieces.slice(count).join(part);
  return [...pieces.slice(0, count), rest].join(replacement);
}

export function joined(frame: Frame, list: readonly Value[], separator = ''): Result {
  let text = '';
  for (const [index, item] of list.entries()) {
    if (typeof item !== 'string') return notTexts;
    text += index === 0 ? item : separator + item;
    if (spend(frame, 1) || text.length > expressionLimits.string) return tooLong;
  }
  return concatenated(frame, text);
}

export function lowered(frame: Frame, text: string): string {
  frame.steps += text.length >> 4;
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, (part) => part.toLowerCase()) : text;
}

export function raised(frame: Frame, text: string): string {
  frame.steps += text.length >> 4;
  return /[a-z]/.test(text) ? text.replace(/[a-z]+/g, (part) => part.toUpperCase()) : text;
}

/** Unicode's White_Space, which String.trim differs from. */
const space = /[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

export function trimmed(frame: Frame, text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && space.test(text.charAt(start))) start++;
  while (end > start && space.test(text.charAt(end - 1))) end--;
  frame.steps += text.length - (end - start);
  return text.slice(start, end);
}
