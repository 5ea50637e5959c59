import { contains, parseAddress, parseCidr } from './address.ts';
import { exhausted, spend } from './frame.ts';
import { mapSize } from './maps.ts';
import { type Overload, overload, sure } from './overload.ts';
import * as positions from './positions.ts';
import * as texts from './texts.ts';
import { list, types } from './type.ts';
import { Fault } from './value.ts';

const { bool, int, string, cidr } = types;
/** What it takes to read an IPv6 address. */
const addressSteps = 12;
const noAddress = new Fault('not an address');

const size: readonly Overload[] = [
  overload(['string'], int, positions.characterCount),
  sure(['list'], int, (_, items) => BigInt(items.length)),
  sure(['map'], int, (frame, map) => {
    const size = mapSize(map);
    frame.steps += size >> 2;
    return BigInt(size);
  }),
  sure(['bytes'], int, (_, bytes) => BigInt(bytes.length)),
];

/** f(x). The names of types are functions, too: conversions.ts. */
export const globals: ReadonlyMap<string, readonly Overload[]> = new Map<
  string,
  readonly Overload[]
>([
  ['size', size],
  [
    'isIP',
    [
      overload(['string'], bool, (frame, text) =>
        spend(frame, addressSteps) ? exhausted : parseAddress(text) !== undefined,
      ),
    ],
  ],
  [
    'cidr',
    [
      overload(['string'], cidr, (frame, text) =>
        spend(frame, addressSteps) ? exhausted : parseCidr(text),
      ),
    ],
  ],
]);

/** x.f(y). */
export const methods: ReadonlyMap<string, readonly Overload[]> = new Map<
  string,
  readonly Overload[]
>([
  ['size', size],
  ['startsWith', [overload(['string', 'string'], bool, texts.startsWith)]],
  ['endsWith', [overload(['string', 'string'], bool, texts.endsWith)]],
  ['contains', [overload(['string', 'string'], bool, texts.contains)]],
  ['lowerAscii', [overload(['string'], string, texts.lowered)]],
  ['upperAscii', [overload(['string'], string, texts.raised)]],
  ['trim', [overload(['string'], string, texts.trimmed)]],
  ['charAt', [overload(['string', 'int'], string, positions.characterAt)]],
  [
    'substring',
    [
      overload(['string', 'int'], string, positions.substring),
      overload(['string', 'int', 'int'], string, positions.substring),
    ],
  ],
  [
    'indexOf',
    [
      overload(['string', 'string'], int, positions.positionOf),
      overload(['string', 'string', 'int'], int, positions.positionOf),
    ],
  ],
  [
    'lastIndexOf',
    [
      overload(['string', 'string'], int, positions.lastPositionOf),
      overload(['string', 'string', 'int'], int, positions.lastPositionOf),
    ],
  ],
  [
    'split',
    [
      overload(['string', 'string'], list(string), texts.split),
      overload(['string', 'string', 'int'], list(string), texts.split),
    ],
  ],
  [
    'replace',
    [
      overload(['string', 'string', 'string'], string, texts.replace),
      overload(['string', 'string', 'string', 'int'], string, texts.replace),
    ],
  ],
  [
    'join',
    [overload(['list'], string, texts.joined), overload(['list', 'string'], string, texts.joined)],
  ],
  [
    'containsIP',
    [
      overload(['cidr', 'string'], bool, (frame, range, text) => {
        if (spend(frame, addressSteps)) return exhausted;
        const address = parseAddress(text);
        return address === undefined ? noAddress : contains(range, address);
      }),
    ],
  ],
]);
