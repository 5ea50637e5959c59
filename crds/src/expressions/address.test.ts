import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contains, parseAddress, parseCidr } from './address.ts';
import { Fault } from './value.ts';

const ipv4 = fc.ipV4();
const ipv6 = fc.ipV6();
const mapped = ipv4.map((address) => `::ffff:${address}`);

describe('addresses', () => {
  it.each([
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '256.1.1.1',
    '1.2.3.4 ',
    '',
    '1..2.3',
    '1.2.3.',
    '.1',
  ])('%j is none', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it.each(['::1%eth0', '1::2::3', ':1:2:3:4:5:6:7', '1:2:3:4:5:6:7', '::12345', '1.2.3.4::', ':'])(
    '%j is none either',
    (text) => {
      expect(parseAddress(text)).toBeUndefined();
    },
  );

  it('are what node:net takes for one, without zones', () => {
    const unit = fc.constantFrom('1', '0', 'f', ':', '::', '.', '25', '255', '/', 'g');
    const text = fc.oneof(ipv4, ipv6, mapped, fc.string({ unit, maxLength: 12 }));
    fc.assert(
      fc.property(text, (text) => {
        expect(parseAddress(text) !== undefined).toBe(isIP(text) !== 0);
      }),
      { numRuns: 2000 },
    );
  });

  it('in IPv6 clothes are IPv4', () => {
    expect(parseAddress('::ffff:10.1.2.3')).toEqual([10, 1, 2, 3]);
    expect(parseAddress('::FFFF:a01:203')).toEqual([10, 1, 2, 3]);
  });
});

describe('ranges', () => {
  it.each(['10.0.0.0', '10.0.0.0/33', '10.0.0.0/08', '10.0.0.0/', '/8', '::/129', '::ffff:0:0/96'])(
    '%j is none',
    (text) => {
      expect(parseCidr(text)).toBeInstanceOf(Fault);
    },
  );

  it('contain what the BlockList of node:net says', () => {
    const case4 = fc.tuple(
      ipv4,
      fc.integer({ min: 0, max: 32 }),
      ipv4,
      fc.constant('ipv4' as const),
    );
    const plain6 = ipv6.filter((text) => parseAddress(text)?.length === 8);
    const case6 = fc.tuple(
      plain6,
      fc.integer({ min: 0, max: 128 }),
      plain6,
      fc.constant('ipv6' as const),
    );
    fc.assert(
      fc.property(fc.oneof(case4, case6), fc.boolean(), ([base, length, other, family], same) => {
        const range = parseCidr(`${base}/${length}`);
        const address = same ? base : other;
        const list = new BlockList();
        list.addSubnet(base, length, family);
        if (range instanceof Fault) throw new Error(range.reason);
        expect(contains(range, parseAddress(address)!)).toBe(list.check(address, family));
      }),
    );
  });

  it('of one family hold no address of the other', () => {
    const all = [parseCidr('0.0.0.0/0'), parseCidr('::/0')].map((range) => {
      if (range instanceof Fault) throw new Error(range.reason);
      return ['1.2.3.4', '::1'].map((address) => contains(range, parseAddress(address)!));
    });
    expect(all).toEqual([
      [true, false],
      [false, true],
    ]);
  });
});
