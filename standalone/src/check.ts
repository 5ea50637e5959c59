import { checkFolder } from '@gatehouse/controller';

/** Prints every mistake in a folder. Returns the exit code: 1 when there is any. */
export async function check(folder: string): Promise<number> {
  const { objects, mistakes } = await checkFolder(folder);
  for (const mistake of mistakes) process.stdout.write(`${mistake}\n`);
  const result = mistakes.length === 0 ? 'no mistakes' : counted(mistakes.length, 'mistake');
  process.stdout.write(`${counted(objects, 'resource')}, ${result}\n`);
  return mistakes.length === 0 ? 0 : 1;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
