import { missingRedis } from '../dataplane/src/testing/redis-program.ts';

/** Runs before the tests: says what is missing, so that nobody wonders what was left out. */
export default function announceMissing() {
  const sentence = missingRedis();
  if (sentence === undefined) return;
  const consequence = process.env.CI
    ? 'With CI set they fail'
    : 'They are left out of this run; with CI set they fail';
  process.stderr.write(`${sentence}. ${consequence}.\n`);
}
