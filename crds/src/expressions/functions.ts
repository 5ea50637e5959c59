import { contains, parseAddress, parseCidr } from './address.ts';
import type { Frame } from './frame.ts';
import { mapSize } from './maps.ts';
import { type Overload, overload, sure } from './overload.ts';
import * as texts from './texts.ts';
import { list, types } from './type.ts';
import { Fault } from './value.ts';

const { bool, int, string, cidr } = types;
const noAddress = new Fault('not an address');

const size: readonly Overload[] = [
  sure(['string'], int, (frame, text) => BigInt(texts.characters(frame, text))),
  sure(['list'], int, (_, items) => BigInt(items.length)),
  sure(['map'], int, (frame, map) => {
    const size = mapSize(map);
    frame.steps += size >> 2;
    return BigInt(size);
  }),
  sure(['bytes'], int, (_, bytes) => BigInt(bytes.length)),
];

/** Goes through a text as fast as memory allows, or nearly. */
function scanned(frame: Frame, text: string): string {
  frame.steps += text.length >> 6;
  return text;
}

/** f(x). The names of types are functions, too: conversions.ts. */
export const globals: ReadonlyMap<string, readonly Overload[]> = new Map<string, readonly Overload[]>([
  ['size', size],
  ['isIP', [sure(['string'], bool, (_, text) => parseAddress(text) !== undefined)]],
  ['cidr', [overload(['string'], cidr, (_, text) => parseCidr(text))]],
]);

/** x.f(y). */
export const methods: ReadonlyMap<string, readonly Overload[]> = new Map<string, readonly Overload[]>([
  ['size', size],
  [
    'startsWith',
    [sure(['string', 'string'], bool, (frame, a, b) => a.startsWith(scanned(frame, b)))],
  ],
  ['endsWith', [sure(['string', 'string'], bool, (frame, a, b) => a.endsWith(scanned(frame, b)))]],
  ['contains', [sure(['string', 'string'], bool, (frame, a, b) => scanned(frame, a).includes(b))]],
  ['lowerAscii', [sure(['string'], string, texts.lowered)]],
  ['upperAscii', [sure(['string'], string, texts.raised)]],
  ['trim', [sure(['string'], string, texts.trimmed)]],
  ['charAt', [overload(['string', 'int'], string, texts.characterAt)]],
  [
    'substring',
    [
      overload(['string', 'int'], string, texts.substring),
      overload(['string', 'int', 'int'], string, texts.substring),
    ],
  ],
  [
    'indexOf',
    [
      overload(['string', 'string'], int, texts.positionOf),
      overload(['string', 'string', 'int'], int, texts.positionOf),
    ],
  ],
  [
    'lastIndexOf',
    [
      overload(['string', 'string'], int, texts.lastPositionOf),
      overload(['string', 'string', 'int'], int, texts.lastPositionOf),
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
    [
      overload(['list'], string, texts.joined),
      overload(['list', 'string'], string, texts.joined),
    ],
  ],
  [
    'containsIP',
    [
      overload(['cidr', 'string'], bool, (_, range, text) => {
        const address = parseAddress(text);
        return address === undefined ? noAddress : contains(range, address);
      }),
    ],
  ],
]);
