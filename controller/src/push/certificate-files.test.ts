import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createCertificates } from './certificate.ts';
import { followFiles } from './certificate-files.ts';
import type { Pair } from './pair.ts';

const [first, second] = [await createCertificates(['a']), await createCertificates(['b'])];
let folder: string;
let files: { certificate: string; key: string };
let followed: { close(): Promise<void> } | undefined;
const used: string[] = [];
const said: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'certificate-'));
  files = { certificate: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
  used.length = 0;
  said.length = 0;
});
afterEach(async () => {
  await followed?.close();
  followed = undefined;
  await rm(folder, { recursive: true });
});

async function write(file: 'certificate' | 'key', pair: Pair): Promise<void> {
  await writeFile(`${files[file]}.new`, pair[file]);
  await rename(`${files[file]}.new`, files[file]);
}
async function follow(): Promise<void> {
  const log = { info: () => {}, warn: (sentence: string) => void said.push(sentence) };
  const use = ({ certificate }: Pair) => void used.push(certificate);
  followed = await followFiles({ ...files, use, log, interval: 2 });
}
const eventually = (look: () => void) => vi.waitFor(look, { interval: 2 });

test('a new pair is used as soon as both files are there, and half of one never', async () => {
  await write('certificate', first);
  await write('key', first);
  await follow();
  expect(used).toEqual([first.certificate]);
  await write('certificate', second);
  await eventually(() =>
    expect(said).toEqual([
      `Cannot use the certificate in "${files.certificate}": the key is not that of the certificate; the last one stays in use`,
    ]),
  );
  expect(used).toEqual([first.certificate]);
  await write('key', second);
  await eventually(() => expect(used).toEqual([first.certificate, second.certificate]));
});

test('files that go away take nothing along', async () => {
  await write('certificate', first);
  await write('key', first);
  await follow();
  await rm(files.key);
  await eventually(() => expect(said.join()).toContain('ENOENT'));
  await write('key', first);
  await write('certificate', second);
  await eventually(() => expect(said.join()).toContain('the key is not that of the certificate'));
  expect(used).toEqual([first.certificate]);
});

test.each([
  ['a file that is missing', undefined, 'ENOENT'],
  ['a key of another certificate', second, 'the key is not that of the certificate'],
  ['text', { certificate: '', key: 'text' }, 'it cannot be read'],
])('%s is refused at the start', async (_, key, reason) => {
  await write('certificate', first);
  if (key) await write('key', key);
  await expect(follow()).rejects.toThrow(
    `Cannot use the certificate in "${files.certificate}": ${reason}`,
  );
});
