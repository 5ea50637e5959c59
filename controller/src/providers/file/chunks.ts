import { type FileDocument, parseDocuments } from './documents.ts';

/** What was read from the pieces of a text, by their content, with lines as in the piece. */
export type Chunks = ReadonlyMap<string, FileDocument[]>;

const marker = /^---(?=\s|$)/m;
const directive = /^%/m;

/**
 * Reads a text document by document and reads again only those that are not among `known`, so that one
 * edit in a file of thousands of objects takes milliseconds, and a broken document ends where the next
 * begins (YAML 1.2.2 section 9.1.2: "---" at the start of a line is never content).
 */
export function readChunks(
  file: string,
  text: string,
  known: Chunks = new Map(),
): { documents: FileDocument[]; chunks: Chunks } {
  const chunks = new Map<string, FileDocument[]>();
  const documents: FileDocument[] = [];
  let line = 0;
  for (const chunk of split(text)) {
    const read = chunks.get(chunk) ?? known.get(chunk) ?? parseDocuments(file, chunk);
    chunks.set(chunk, read);
    for (const document of read) documents.push(line === 0 ? document : lowered(document, line));
    line += countLines(chunk);
  }
  return { documents, chunks };
}

function split(text: string): string[] {
  // A directive stands before the marker of the document that it speaks of.
  if (directive.test(text)) return [text];
  const starts = [...text.matchAll(new RegExp(marker, 'gm'))].map(({ index }) => index);
  return [0, ...starts].map((start, i) => text.slice(start, starts[i]));
}

function lowered(document: FileDocument, lines: number): FileDocument {
  const problems = document.problems.map((problem) => ({ ...problem, line: problem.line + lines }));
  return { ...document, line: document.line + lines, problems };
}

function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
