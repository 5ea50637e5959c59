import { Cidr, Fault } from './value.ts';

/** The numbers between the dots or colons of an address: 4 of 8 bits (IPv4) or 8 of 16 (IPv6). */
export type Groups = readonly number[];

const hextet = /^[0-9a-fA-F]{1,4}$/;

/** Digit by digit: 10 times faster than splitting, and nearly all clients have such an address. */
function ipv4(text: string): Groups | undefined {
  const groups: number[] = [];
  let group = -1;
  for (let index = 0; index < text.length; index++) {
    const digit = text.charCodeAt(index) - 48;
    if (digit >= 0 && digit <= 9) {
      // No leading zeros: they are octal to some (RFC 6943 section 3.1.1).
      if (group === 0) return undefined;
      group = group === -1 ? digit : group * 10 + digit;
      if (group > 255) return undefined;
    } else {
      if (digit !== -2 || group === -1) return undefined;
      groups.push(group);
      group = -1;
    }
  }
  if (group === -1) return undefined;
  groups.push(group);
  return groups.length === 4 ? groups : undefined;
}

/** RFC 4291 section 2.2, without zones. The last 32 bits may be written as IPv4. */
function ipv6(text: string): Groups | undefined {
  const halves = text.split('::', 3);
  if (halves.length > 2) return undefined;
  const [head = '', tail] = halves;
  const left = hextets(head, tail === undefined);
  const right = tail === undefined ? [] : hextets(tail, true);
  if (left === undefined || right === undefined) return undefined;
  const missing = 8 - left.length - right.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  return [...left, ...Array<number>(missing).fill(0), ...right];
}

function hextets(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':', 9);
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (hextet.test(part)) groups.push(Number.parseInt(part, 16));
    else {
      const last = mayEndInIpv4 && index === parts.length - 1 ? ipv4(part) : undefined;
      if (last === undefined) return undefined;
      const [a = 0, b = 0, c = 0, d = 0] = last;
      groups.push(a * 256 + b, c * 256 + d);
    }
  }
  return groups;
}

/**
 * An address that came over a socket for both families is an IPv4 address in IPv6 clothes
 * (RFC 4291 section 2.5.5.2): it is the IPv4 address, or ranges would not hold.
 */
function unmapped(groups: Groups): Groups {
  const [, , , , , marker, high = 0, low = 0] = groups;
  const isMapped = marker === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  return isMapped ? [high >> 8, high & 255, low >> 8, low & 255] : groups;
}

/** @returns undefined when it is no address. */
export function parseAddress(text: string): Groups | undefined {
  if (text.length > 45) return undefined;
  if (!text.includes(':')) return ipv4(text);
  const groups = ipv6(text);
  return groups && unmapped(groups);
}

/** `10.0.0.0/8` or `2001:db8::/32` (RFC 4632 section 3.1, RFC 4291 section 2.3). */
export function parseCidr(text: string): Cidr | Fault {
  const slash = text.indexOf('/');
  const groups = parseAddress(slash === -1 ? '' : text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (groups === undefined || !prefixLength.test(digits)) return noRange;
  if (groups.length === 4 && text.includes(':')) return mapped;
  const length = Number(digits);
  return length > (groups.length === 4 ? 32 : 128) ? noRange : new Cidr(groups, length);
}

const prefixLength = /^(?:0|[1-9]\d{0,2})$/;
const noRange = new Fault('not a range of addresses such as "10.0.0.0/8" or "2001:db8::/32"');
const mapped = new Fault('an IPv4 range in IPv6 form; write it as IPv4');

export function contains({ groups, length }: Cidr, address: Groups): boolean {
  if (groups.length !== address.length) return false;
  const bits = groups.length === 4 ? 8 : 16;
  for (let index = 0, left = length; left > 0; index++, left -= bits) {
    const ignored = Math.max(0, bits - left);
    if ((groups[index] ?? 0) >> ignored !== (address[index] ?? -1) >> ignored) return false;
  }
  return true;
}
