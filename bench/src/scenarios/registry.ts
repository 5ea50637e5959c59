import type { Scenario } from '../scenario.ts';
import { plain } from './plain.ts';
import { routes1000 } from './routes-1000.ts';

/** Every scenario, in the order in which they run. */
export const scenarios: readonly Scenario[] = [plain, routes1000];
