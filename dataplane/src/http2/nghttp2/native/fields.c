#include "session.h"
#include <stdlib.h>
#include <string.h>

static fields list;
static size_t capacity;

static int grow(size_t count) {
  if (count <= capacity) return 1;
  size_t wanted = capacity ? 2 * capacity : 128;
  while (wanted < count) wanted *= 2;
  nghttp2_nv *pairs = realloc(list.pairs, wanted * sizeof(nghttp2_nv));
  if (!pairs) return 0;
  list.pairs = pairs;
  capacity = wanted;
  return 1;
}

void set_pair(fields *to, size_t at, const char *name, char *value, size_t length) {
  nghttp2_nv pair = {(uint8_t *)name, (uint8_t *)value, strlen(name), length,
                     NGHTTP2_NV_FLAG_NO_COPY_NAME};
  to->pairs[at] = pair;
}

static int is(const char *name, size_t length, const char *other) {
  return length == strlen(other) && !memcmp(name, other, length);
}

/* Fields that speak of a connection (RFC 9113 section 8.2.2). Host is :authority. */
static int of_connection(const char *name, size_t length) {
  switch (length) {
  case 4:
    return is(name, length, "host");
  case 7:
    return is(name, length, "upgrade");
  case 10:
    return is(name, length, "connection") || is(name, length, "keep-alive");
  case 16:
    return is(name, length, "proxy-connection");
  case 17:
    return is(name, length, "transfer-encoding");
  }
  return 0;
}

static int blank(char byte) { return byte == ' ' || byte == '\t'; }

/*
 * Reads field lines, each ended by CRLF, up to an empty one or the end, as pairs behind `from` others.
 * Names become lower-case where they are. NULL: no memory.
 */
fields *read_fields(char *text, size_t length, size_t from) {
  char *at = text, *end = text + length;
  list.count = from;
  if (!grow(from)) return NULL;
  while (at < end) {
    char *line_end = memchr(at, '\r', end - at);
    if (!line_end || line_end == at) break;
    char *colon = at;
    for (; colon < line_end && *colon != ':'; colon++) {
      if (*colon >= 'A' && *colon <= 'Z') *colon += 'a' - 'A';
    }
    char *value = colon + 1, *value_end = line_end;
    while (value < value_end && blank(*value)) value++;
    while (value_end > value && blank(value_end[-1])) value_end--;
    size_t name_length = colon - at;
    int sent = colon < line_end && name_length > 0 && !of_connection(at, name_length);
    /* TE is one of them, but may be sent as `trailers`. */
    if (sent && is(at, name_length, "te")) sent = is(value, value_end - value, "trailers");
    if (sent) {
      if (!grow(list.count + 1)) return NULL;
      nghttp2_nv pair = {(uint8_t *)at, (uint8_t *)value, name_length, value_end - value,
                         NGHTTP2_NV_FLAG_NONE};
      list.pairs[list.count++] = pair;
    }
    at = line_end + 2;
  }
  return &list;
}
