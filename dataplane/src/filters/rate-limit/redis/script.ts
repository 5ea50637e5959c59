/** Letters by which the script knows the algorithms; part of the keys, so that states are never mixed up. */
export const letters: Readonly<Record<string, string>> = {
  TokenBucket: 'T',
  FixedWindow: 'F',
  SlidingWindow: 'S',
};

/** Arguments of the script for each counter. */
export const argumentsPerKey = 5;
/** Numbers of its answer: allowed and the time, then these for each counter. */
export const numbersPerKey = 4;

/**
 * Judges all counters of a request by the algorithms of algorithms.ts, and takes when all allow it: one
 * step, as Redis runs one script at a time. Times are microseconds, so that they are whole numbers.
 *
 * ARGV: "take", or the time of a taking that is given back; then for each key its letter, limit, window,
 * burst and cost. A bucket is stored as what it owes at a time, so that small costs are not lost in the
 * digits of the time; windows as their end with what was counted. A clock that is set back costs nobody
 * anything: what would lie further ahead than it can is taken for present.
 * @param clock a Lua expression: microseconds.
 */
export function scriptWith(clock: string): string {
  return `local now = ${clock}
local slack = 1e-3

local function read(key, d)
  local text = redis.call('GET', key)
  local until_, a, b = 0, 0, 0
  if text then
    local x, y, z = string.match(text, '^(%S+) (%S+) (%S+)$')
    until_, a, b = tonumber(x) or 0, tonumber(y) or 0, tonumber(z) or 0
  end
  local s = {}
  if d.letter == 'T' then
    s.ahead = until_ > now
    s.debt = math.max(0, a - math.max(0, now - until_))
  elseif d.letter == 'F' then
    s.finish = (math.floor(now / d.window) + 1) * d.window
    s.counted = until_ > now and a or 0
    s.ahead = until_ > s.finish
  else
    s.start = math.floor(now / d.window) * d.window
    s.present, s.last = 0, 0
    s.ahead = until_ > s.start + 2 * d.window
    if until_ >= s.start + 2 * d.window then
      s.present = a
      if until_ == s.start + 2 * d.window then s.last = b end
    elseif until_ == s.start + d.window then
      s.last = a
    end
  end
  return s
end

local function write(key, d, s)
  local until_, a, b, rest
  if d.letter == 'T' then
    until_, a, b, rest = now, s.debt, 0, s.debt
  elseif d.letter == 'F' then
    until_, a, b, rest = s.finish, s.counted, 0, s.finish - now
  else
    until_, a, b = s.start + 2 * d.window, s.present, s.last
    rest = until_ - now
  end
  local text = string.format('%.17g %.17g %.17g', until_, a, b)
  redis.call('SET', key, text, 'PX', string.format('%.0f', math.max(1, math.ceil(rest / 1000))))
end

local function answer(d, cost, counted, reset, wait)
  local allowed = counted + cost <= d.limit + slack
  local after = allowed and counted + cost or counted
  local retry = 0
  if not allowed then retry = cost > d.limit and -1 or wait end
  return allowed, math.max(0, math.floor(d.limit - after + slack)), reset, retry
end

local function waitOf(d, s, cost)
  if cost > d.limit then return -1 end
  local room, into = d.limit - cost, now - s.start
  if s.present <= room then
    if s.last == 0 then return 0 end
    return math.max(0, d.window * (1 - (room - s.present) / s.last) - into)
  end
  return d.window - into + d.window * (1 - room / s.present)
end

local function judge(d, s, cost)
  if d.letter == 'F' then
    return answer(d, cost, s.counted, s.finish - now, s.finish - now)
  elseif d.letter == 'S' then
    local counted = s.present + s.last * (1 - (now - s.start) / d.window)
    local reset = s.start + d.window - now + (s.present > 0 and d.window or 0)
    return answer(d, cost, counted, reset, waitOf(d, s, cost))
  end
  if d.limit == 0 then return false, 0, d.window, -1 end
  local interval = d.window / d.limit
  local tolerance = interval * d.burst
  local owed = s.debt + cost * interval
  local allowed = owed <= tolerance + slack
  local after = allowed and owed or s.debt
  local left = math.max(0, math.floor((tolerance - after + slack) / interval))
  local retry = 0
  if not allowed then retry = cost > d.burst and -1 or owed - tolerance end
  return allowed, left, after, retry
end

local function take(d, s)
  if d.letter == 'T' then
    s.debt = s.debt + d.cost * d.window / d.limit
  elseif d.letter == 'F' then
    s.counted = s.counted + d.cost
  else
    s.present = s.present + d.cost
  end
end

local function giveBack(d, s, takenAt)
  if d.letter == 'T' then
    s.debt = math.max(0, s.debt - d.cost * d.window / d.limit)
  elseif d.letter == 'F' then
    if s.finish > takenAt and s.finish <= takenAt + d.window then
      s.counted = math.max(0, s.counted - d.cost)
    end
  else
    local start = math.floor(takenAt / d.window) * d.window
    if start == s.start then
      s.present = math.max(0, s.present - d.cost)
    elseif start + d.window == s.start then
      s.last = math.max(0, s.last - d.cost)
    end
  end
end

local demands, states = {}, {}
for i = 1, #KEYS do
  local at = 2 + (i - 1) * ${argumentsPerKey}
  demands[i] = {
    letter = ARGV[at],
    limit = tonumber(ARGV[at + 1]),
    window = tonumber(ARGV[at + 2]),
    burst = tonumber(ARGV[at + 3]),
    cost = tonumber(ARGV[at + 4]),
  }
  states[i] = read(KEYS[i], demands[i])
end

if ARGV[1] ~= 'take' then
  for i = 1, #KEYS do
    giveBack(demands[i], states[i], tonumber(ARGV[1]))
    write(KEYS[i], demands[i], states[i])
  end
  return {1, now}
end

local all = true
local answers = {}
for i = 1, #KEYS do
  answers[i] = {judge(demands[i], states[i], demands[i].cost)}
  all = all and answers[i][1]
end
local result = {all and 1 or 0, now}
for i = 1, #KEYS do
  local d, s = demands[i], states[i]
  local allowed, left, reset, retry = unpack(answers[i])
  if all then
    take(d, s)
    write(KEYS[i], d, s)
  else
    if s.ahead then write(KEYS[i], d, s) end
    -- What was allowed by itself was not taken: it is told as of before.
    if allowed then allowed, left, reset, retry = judge(d, s, 0) end
  end
  result[#result + 1] = allowed and 1 or 0
  result[#result + 1] = left
  result[#result + 1] = math.ceil(reset)
  result[#result + 1] = math.ceil(retry)
end
return result`;
}

/** The script by the clock of Redis, so that the clocks of data planes do not matter. */
export const script = scriptWith(
  "(function() local t = redis.call('TIME') return t[1] * 1000000 + t[2] end)()",
);
