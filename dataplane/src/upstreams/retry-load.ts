/** How many retries an upstream gets: percent of its requests under way, and a minimum. */
export type RetryBudget = { percent: number; minimum: number };

/** What a thread has under way to an upstream of requests that may be retried. */
export class RetryLoad {
  requests = 0;
  retries = 0;

  allows({ percent, minimum }: RetryBudget): boolean {
    return this.retries < Math.max(minimum, (this.requests * percent) / 100);
  }
}
