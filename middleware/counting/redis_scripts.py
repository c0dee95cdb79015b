"""The Lua scripts that redis runs, each as one step.

Their clock is redis's own, so hosts whose clocks differ share a window. A script may run twice, or
late: a client whose connection breaks sends it again, and a redis that hung runs what it has
received. Keys are all in KEYS, so that an ACL and a cluster can check them.
"""

COUNT = """
-- KEYS: a list for each window. ARGV: limit and seconds of each.
-- Returns for each window: whether the request has room, how many more have, microseconds until
-- the oldest leaves. What is of a later time than now, since the clock was set back, is removed.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local counted = {}
for i, key in ipairs(KEYS) do
  local limit = tonumber(ARGV[2 * i - 1])
  local window = ARGV[2 * i] * 1000000
  local oldest = tonumber(redis.call('LINDEX', key, 0))
  while oldest and (oldest < now - window or oldest > now) do
    redis.call('LPOP', key)
    oldest = tonumber(redis.call('LINDEX', key, 0))
  end
  local count = redis.call('LLEN', key)
  local allowed = count < limit
  if allowed then
    count = redis.call('RPUSH', key, now)
    redis.call('PEXPIRE', key, window / 1000)
  end
  counted[#counted + 1] = allowed and 1 or 0
  counted[#counted + 1] = limit - count
  counted[#counted + 1] = (oldest or now) + window - now
  if not allowed then break end
end
return counted
"""

CHARGE = """
-- KEYS: the receipt, then the counter of each period.
-- ARGV: part, pages, seconds to keep the receipt, then quota and end of each period.
-- Returns the number of the first period without room (0: none, -1: the charge has ended), then
-- the pages of each period.
local receipt, part, pages = KEYS[1], ARGV[1], tonumber(ARGV[2])
local result = {0}
for i = 2, #KEYS do
  result[i] = tonumber(redis.call('GET', KEYS[i]) or '0')
end
if redis.call('HEXISTS', receipt, 'ended') == 1 then
  result[1] = -1
  return result
end
if redis.call('HEXISTS', receipt, part) == 1 then return result end
for i = 2, #KEYS do
  if result[i] + pages > tonumber(ARGV[2 * i]) then
    result[1] = i - 1
    return result
  end
end
for i = 2, #KEYS do
  result[i] = redis.call('INCRBY', KEYS[i], pages)
  redis.call('EXPIREAT', KEYS[i], ARGV[2 * i + 1])
end
redis.call('HSET', receipt, part, pages)
redis.call('EXPIRE', receipt, ARGV[3])
return result
"""

GIVE_BACK = """
-- KEYS: the receipt, then the counter of each period. ARGV: pages, seconds to keep the receipt.
-- Returns 0, then the pages of each period.
local receipt, back = KEYS[1], 0
if redis.call('HEXISTS', receipt, 'ended') == 0 then
  for _, pages in ipairs(redis.call('HVALS', receipt)) do back = back + pages end
  back = math.min(back, tonumber(ARGV[1]))
end
redis.call('HSET', receipt, 'ended', 1)
redis.call('EXPIRE', receipt, ARGV[2])
local result = {0}
for i = 2, #KEYS do
  local used = tonumber(redis.call('GET', KEYS[i]) or '0')
  local less = math.min(back, used)
  if less > 0 then used = redis.call('DECRBY', KEYS[i], less) end
  result[i] = used
end
return result
"""

LEASE = """
-- KEYS: the sorted set of the leases by their ends, the mark of a lease that has ended.
-- ARGV: id, limit, seconds. Returns whether it is held, and how many are.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local held = redis.call('ZCOUNT', KEYS[1], now, '+inf')
if redis.call('EXISTS', KEYS[2]) == 1 then return {0, held} end
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return {1, held} end
if held >= tonumber(ARGV[2]) then return {0, held} end
redis.call('ZADD', KEYS[1], now + ARGV[3] * 1000000, ARGV[1])  -- first: a full redis refuses it
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('TTL', KEYS[1]) < tonumber(ARGV[3]) then
  redis.call('EXPIRE', KEYS[1], ARGV[3])
end
return {1, held + 1}
"""

RELEASE = """
-- KEYS: as of a lease. ARGV: id, seconds.
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then
  redis.call('SET', KEYS[2], 1, 'EX', ARGV[2])
end
return {}
"""
