import { isIPv6 } from 'node:net';

/**
 * What an address is counted by: of IPv6 the first 64 bits, as whoever has one address mostly has all
 * that share them (RFC 6177).
 */
export function addressKey(address: string): string {
  if (!address.includes(':') || !isIPv6(address)) return address;
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const behind = tail === undefined || tail === '' ? [] : tail.split(':');
  // An IPv4 address at the end stands for two groups.
  const width = behind.length + (behind.at(-1)?.includes('.') ? 1 : 0);
  while (tail !== undefined && groups.length + width < 8) groups.push('0');
  return groups
    .concat(behind)
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':');
}
