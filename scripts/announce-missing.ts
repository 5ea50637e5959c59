import { missingConsul } from '../controller/src/providers/consul/testing/consul-program.ts';
import { missingH2spec } from '../dataplane/src/testing/h2spec-program.ts';
import { missingRedis } from '../dataplane/src/testing/redis-program.ts';

/** Runs before the tests: says what is missing, so that nobody wonders what was left out. */
export default function announceMissing() {
  const leftOut = 'They are left out of this run';
  tell(
    missingRedis(),
    process.env.CI ? 'With CI set they fail' : `${leftOut}; with CI set they fail`,
  );
  tell(missingConsul(), leftOut);
  tell(missingH2spec(), leftOut);
}

function tell(missing: string | undefined, consequence: string) {
  if (missing !== undefined) process.stderr.write(`${missing}. ${consequence}.\n`);
}
