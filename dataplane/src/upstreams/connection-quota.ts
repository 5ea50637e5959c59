/** The connections of a thread to all endpoints of an upstream. */
export class ConnectionQuota {
  /** Open or being opened. */
  open = 0;
  /** 0: no limit. */
  most = 0;

  get room(): boolean {
    return this.most === 0 || this.open < this.most;
  }
}
