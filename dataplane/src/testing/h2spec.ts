import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { h2specProgram } from './h2spec-program.ts';

/** How a run of h2spec ended; cases as "<section>: <title>". */
export type H2specReport = { passed: number; missed: string[] };

/** Runs every case of h2spec, the strict ones too. @throws Error when it does not run to its end. */
export async function runH2spec(port: number, { tls }: { tls: boolean }): Promise<H2specReport> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-h2spec-'));
  const report = join(folder, 'report.xml');
  const args = [
    '--strict',
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--junit-report',
    report,
  ];
  try {
    const output = await run(tls ? [...args, '--tls', '--insecure'] : args);
    if (!output.includes('Finished in'))
      throw new Error(`Cannot run h2spec: ${output.slice(-2000)}`);
    return readReport(await readFile(report, 'latin1'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Resolves with what it printed: it exits with 1 when a case is missed. */
function run(args: string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(h2specProgram(), args, { encoding: 'latin1' }, (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    );
  });
}

/** @param xml in the form of JUnit; bytes that came from the gateway are in it as they are. */
function readReport(xml: string): H2specReport {
  const report: H2specReport = { passed: 0, missed: [] };
  for (const part of xml.split('<testcase ').slice(1)) {
    const [, section = '', title = ''] = /^package="([^"]*)" classname="([^"]*)"/.exec(part) ?? [];
    const text = `${section}: ${title.replaceAll('&#34;', '"')}`;
    if (/<(?:failure|error)/.test(part)) report.missed.push(text);
    else if (!part.includes('<skipped')) report.passed++;
  }
  return report;
}
