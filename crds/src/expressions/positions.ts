import { exhausted, type Frame, spend } from './frame.ts';
import { maySearch } from './texts.ts';
import { Fault, type Result } from './value.ts';

/** CEL counts characters, JavaScript units of UTF-16. Positions are characters here. */

const outside = new Fault('a position outside of the text');
const inverted = new Fault('the end lies before the start');

const isHigh = (unit: number) => unit >= 0xd800 && unit < 0xdc00;
const isLow = (unit: number) => unit >= 0xdc00 && unit < 0xe000;

function unitsAt(text: string, index: number): 1 | 2 {
  return isHigh(text.charCodeAt(index)) && isLow(text.charCodeAt(index + 1)) ? 2 : 1;
}

export function characterCount(frame: Frame, text: string): Result {
  return spend(frame, text.length >> 4) ? exhausted : charactersBefore(text, text.length);
}

function charactersBefore(text: string, end: number): bigint {
  let count = 0;
  for (let index = 0; index < end; index += unitsAt(text, index)) count++;
  return BigInt(count);
}

/** The unit at which a character starts. */
function unitOf(frame: Frame, text: string, position: bigint): number | Fault {
  if (position < 0n || position > BigInt(text.length)) return outside;
  if (spend(frame, Number(position) >> 4)) return exhausted;
  let index = 0;
  for (let left = Number(position); left > 0; left--) {
    if (index >= text.length) return outside;
    index += unitsAt(text, index);
  }
  return index;
}

export function characterAt(frame: Frame, text: string, position: bigint): Result {
  const start = unitOf(frame, text, position);
  return start instanceof Fault ? start : text.slice(start, start + unitsAt(text, start));
}

export function substring(frame: Frame, text: string, from: bigint, to?: bigint): Result {
  const start = unitOf(frame, text, from);
  if (start instanceof Fault) return start;
  const end = to === undefined ? text.length : unitOf(frame, text, to);
  if (end instanceof Fault) return end;
  return start > end ? inverted : text.slice(start, end);
}

export function positionOf(frame: Frame, text: string, part: string, from = 0n): Result {
  const start = unitOf(frame, text, from);
  if (start instanceof Fault) return start;
  return maySearch(frame, text, part) ? positionAt(text, text.indexOf(part, start)) : exhausted;
}

export function lastPositionOf(frame: Frame, text: string, part: string, from?: bigint): Result {
  const start = from === undefined ? text.length : unitOf(frame, text, from);
  if (start instanceof Fault) return start;
  return maySearch(frame, text, part) ? positionAt(text, text.lastIndexOf(part, start)) : exhausted;
}

function positionAt(text: string, unit: number): bigint {
  return unit === -1 ? -1n : charactersBefore(text, unit);
}
