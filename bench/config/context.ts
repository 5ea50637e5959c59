import type { Figure } from './figure.ts';
import type { Size } from './population.ts';
import type { Target } from './serving.ts';
import type { DataPlane, Replica, Stage } from './stage.ts';

/** What measurements work with; they may change what runs. */
export type Context = {
  stage: Stage;
  size: Size;
  /** Routes there are now. */
  routes: number;
  controllers: Replica[];
  dataPlanes: DataPlane[];
  /** Where the data planes serve. */
  targets: Target[];
  /** So many seconds, scaled. */
  seconds(full: number): number;
  /** So many objects, scaled. */
  count(full: number): number;
  notice(line: string): void;
};

export type Measurement = {
  name: string;
  measure(context: Context): Promise<Figure[]>;
};
