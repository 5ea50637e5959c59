/** Members and depth of JSON text, counted in the text: there a repeated name counts twice. */
export type JsonShape = { members: number; depth: number };

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const openBrace = 0x7b;
const openBracket = 0x5b;
const closeBrace = 0x7d;
const closeBracket = 0x5d;

/** @param text that JSON.parse accepts: outside of strings each colon belongs to one member. */
export function jsonShapeOf(text: string): JsonShape {
  let members = 0;
  let open = 0;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case quote:
        for (i++; i < text.length && text.charCodeAt(i) !== quote; i++) {
          if (text.charCodeAt(i) === backslash) i++;
        }
        break;
      case colon:
        members++;
        break;
      case openBrace:
      case openBracket:
        open++;
        if (open > depth) depth = open;
        break;
      case closeBrace:
      case closeBracket:
        open--;
        break;
    }
  }
  return { members, depth };
}

/** Members of a value and of all that it holds. @param value of bounded depth */
function membersOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let members = Array.isArray(value) ? 0 : Object.keys(value).length;
  for (const part of Object.values(value)) members += membersOf(part);
  return members;
}

/** Levels of objects and lists; what tells of a user or a key needs a few. */
const deepest = 32;

/**
 * What makes JSON read differently by different readers, or costly to walk through; undefined when
 * nothing does (RFC 7519 section 4: claim names must be unique; RFC 8259 section 4).
 * @param value what JSON.parse made of the text
 */
export function jsonFault(text: string, value: unknown): string | undefined {
  const { members, depth } = jsonShapeOf(text);
  if (depth > deepest) return `is nested more than ${deepest} levels deep`;
  return members === membersOf(value) ? undefined : 'names a member twice';
}
