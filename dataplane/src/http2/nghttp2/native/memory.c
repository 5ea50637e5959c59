#include "session.h"
#include <stdlib.h>
#include <string.h>

struct shared shared;
buffer input, events, heads, offsets, cookies, out;
const uint8_t *chunk;

int reserve(buffer *target, size_t more) {
  size_t wanted = target->length + more;
  if (wanted <= target->capacity) return 1;
  size_t capacity = target->capacity ? target->capacity : 4096;
  while (capacity < wanted) capacity *= 2;
  uint8_t *data = realloc(target->data, capacity);
  if (!data) return 0;
  target->data = data;
  target->capacity = capacity;
  return 1;
}

int append(buffer *target, const void *data, size_t length) {
  if (!reserve(target, length)) return 0;
  memcpy(target->data + target->length, data, length);
  target->length += length;
  return 1;
}

int emit(const int32_t *words, size_t count) {
  return append(&events, words, count * sizeof(int32_t));
}

/* What a session allocates is counted, so that no peer takes more than its part: the size is in front. */
typedef union {
  size_t size;
  max_align_t align;
} prefix;

static int fits(session *owner, size_t size) {
  return size <= owner->most_allocated && owner->allocated <= owner->most_allocated - size;
}

void *counted_malloc(size_t size, void *user) {
  session *owner = user;
  if (!fits(owner, size)) return NULL;
  prefix *block = malloc(sizeof(prefix) + size);
  if (!block) return NULL;
  block->size = size;
  owner->allocated += size;
  return block + 1;
}

void *counted_calloc(size_t count, size_t size, void *user) {
  if (size && count > SIZE_MAX / 2 / size) return NULL;
  void *block = counted_malloc(count * size, user);
  if (block) memset(block, 0, count * size);
  return block;
}

void counted_free(void *pointer, void *user) {
  session *owner = user;
  if (!pointer) return;
  prefix *block = (prefix *)pointer - 1;
  owner->allocated -= block->size;
  free(block);
}

void *counted_realloc(void *pointer, size_t size, void *user) {
  session *owner = user;
  if (!pointer) return counted_malloc(size, user);
  prefix *block = (prefix *)pointer - 1;
  size_t before = block->size;
  if (size > before && !fits(owner, size - before)) return NULL;
  block = realloc(block, sizeof(prefix) + size);
  if (!block) return NULL;
  block->size = size;
  owner->allocated += size - before;
  return block + 1;
}

/* Nothing is printed. An assertion that fails ends the call by a trap. */
_Noreturn void abort(void) { __builtin_trap(); }
_Noreturn void __assert_fail(const char *expression, const char *file, int line,
                             const char *function) {
  (void)expression, (void)file, (void)line, (void)function;
  __builtin_trap();
}
int snprintf(char *restrict text, size_t size, const char *restrict format, ...) {
  (void)format;
  if (size) *text = 0;
  return 0;
}
int vsnprintf(char *restrict text, size_t size, const char *restrict format,
              __builtin_va_list arguments) {
  (void)format, (void)arguments;
  if (size) *text = 0;
  return 0;
}

/* The clock of its rate limits. */
__attribute__((import_module("env"), import_name("now"))) extern double now_seconds(void);
uint64_t nghttp2_time_now_sec(void) { return (uint64_t)now_seconds(); }
