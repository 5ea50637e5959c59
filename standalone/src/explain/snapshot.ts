import type { Key, ResourceSet } from '@gatehouse/snapshot';
import type { Explanation } from './explanation.ts';

/** What is explained: the two lanes of a snapshot, and where they come from. */
export type ExplainedSnapshot = {
  source: Explanation['source'];
  config: ResourceSet;
  endpoints: ResourceSet;
  /** What is known to be wrong with it. */
  mistakes: string[];
  /** Secrets have names and no content. */
  redacted: boolean;
  /** Endpoints of a folder that only a gateway that runs finds out. */
  unknown?: ReadonlySet<Key>;
};
