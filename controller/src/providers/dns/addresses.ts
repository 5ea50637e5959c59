import type { Resolver } from 'node:dns/promises';
import type { DnsSource } from '../../compile/discovery-source.ts';

/** An address of a name, and for how many seconds it may be used (RFC 1035 section 3.2.1). */
export type Address = { address: string; ttl: number };

/**
 * The addresses of a name: those of A records, and of AAAA records where there are none or they are meant.
 * @throws what node:dns throws, but not when the name has no such records.
 */
export async function addressesOf(
  resolver: Resolver,
  name: string,
  records: DnsSource['records'],
): Promise<Address[]> {
  const found = records === 'AAAA' ? [] : await orNothing(resolver.resolve4(name, { ttl: true }));
  if (found.length > 0 || records === 'A') return found;
  return orNothing(resolver.resolve6(name, { ttl: true }));
}

/** Of a name that has no such records c-ares says so, or gives an empty list when it has aliases. */
export async function orNothing<T>(asked: Promise<T[]>): Promise<T[]> {
  try {
    return await asked;
  } catch (error) {
    if (isDnsError(error, 'ENODATA')) return [];
    throw error;
  }
}

/** Aliases are followed so far; RFC 1034 section 3.6.2 names no limit, resolvers have about this one. */
const longestChain = 16;

/** The names of a circle of CNAME records that a name leads into; undefined when there is none. */
export async function circleFrom(resolver: Resolver, name: string): Promise<string[] | undefined> {
  const names = [comparable(name)];
  for (let i = 0; i < longestChain; i++) {
    const next = await aliasOf(resolver, names.at(-1) ?? '');
    if (next === undefined) return undefined;
    const seen = names.includes(next);
    names.push(next);
    if (seen) return names;
  }
  return undefined;
}

async function aliasOf(resolver: Resolver, name: string): Promise<string | undefined> {
  try {
    const [alias] = await resolver.resolveCname(name);
    return alias === undefined ? undefined : comparable(alias);
  } catch (error) {
    if (isDnsError(error)) return undefined;
    throw error;
  }
}

function comparable(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

export function isDnsError(error: unknown, code?: string): boolean {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return false;
  return code === undefined || error.code === code;
}
