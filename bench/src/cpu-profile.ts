/** What this needs of a V8 CPU profile. Times are in microseconds of the machine's monotonic clock. */
export type CpuProfile = {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  startTime: number;
  samples: number[];
  timeDeltas: number[];
};

/** Share is of the time that was not idle. */
export type FunctionTime = { name: string; place: string; selfMs: number; share: number };

export type ProfileSummary = { busyMs: number; idleMs: number; functions: FunctionTime[] };

/** A stretch of the monotonic clock, in microseconds. */
export type Stretch = { from: number; to: number };

/** V8's name for the time in which the thread waited. */
const idleName = '(idle)';

function shorten(url: string): string {
  return url.split('/').slice(-2).join('/');
}

function nodeLabels(profile: CpuProfile): Map<number, { name: string; place: string }> {
  return new Map(
    profile.nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
      id,
      {
        name: functionName || '(anonymous)',
        place: url === '' ? '' : `${shorten(url)}:${lineNumber + 1}`,
      },
    ]),
  );
}

/** Adds up self time by function, over the samples taken within the stretch; most expensive first. */
export function summarizeProfile(profile: CpuProfile, { from, to }: Stretch): ProfileSummary {
  const labels = nodeLabels(profile);
  const totals = new Map<string, FunctionTime>();
  let [time, busyMs, idleMs] = [profile.startTime, 0, 0];
  profile.samples.forEach((id, index) => {
    // A delta is the time since the sample before, and V8 books it on the sample that it ends with.
    const delta = profile.timeDeltas[index] ?? 0;
    time += delta;
    const label = labels.get(id);
    if (label === undefined || time < from || time > to) return;
    if (label.name === idleName) {
      idleMs += delta / 1000;
      return;
    }
    busyMs += delta / 1000;
    const key = `${label.name} ${label.place}`;
    const entry = totals.get(key) ?? { ...label, selfMs: 0, share: 0 };
    entry.selfMs += delta / 1000;
    totals.set(key, entry);
  });
  const functions = [...totals.values()].sort((a, b) => b.selfMs - a.selfMs);
  for (const entry of functions) entry.share = entry.selfMs / busyMs;
  return { busyMs, idleMs, functions };
}

/** The summary as text: one line per function, with its share of the time that was not idle. */
export function renderProfile(
  { busyMs, idleMs, functions }: ProfileSummary,
  count: number,
): string {
  const lines = functions
    .slice(0, count)
    .map(({ name, place, share }) =>
      `${(share * 100).toFixed(1).padStart(6)} %  ${name}  ${place}`.trimEnd(),
    );
  const busy = `busy ${(busyMs / 1000).toFixed(2)} s, idle ${(idleMs / 1000).toFixed(2)} s`;
  return [`Self time by function, of the busy time (${busy}):`, ...lines].join('\n');
}
