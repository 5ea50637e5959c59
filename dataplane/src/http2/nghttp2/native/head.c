#include "session.h"
#include <stdlib.h>
#include <string.h>

/* Heads as text of HTTP/1.1 with four offsets a field, as framed-message.ts describes them. */

static const int pause_above = 262144;
/* Refusals a session begins with, and how many it gets back a second. */
const uint32_t refusals_burst = 100;
static const uint32_t refusals_rate = 33;

/* Reason phrases, as JavaScript knows them. */
static char *reasons[600];
static uint8_t reason_lengths[600];

int EXPORT(set_reason)(int status, int length) {
  if (status < 0 || status >= 600 || length > 255) return -1;
  char *copy = malloc(length);
  if (!copy) return -1;
  memcpy(copy, input.data, length);
  reasons[status] = copy;
  reason_lengths[status] = length;
  return 0;
}

void begin_head(session *owner) {
  memset(&owner->head, 0, sizeof(head));
  owner->head.open = 1;
  owner->head.start = heads.length;
  offsets.length = 0;
  cookies.length = 0;
}

static int keep(buffer *to, const uint8_t *data, size_t length, session *owner) {
  if (length > to->capacity) {
    uint8_t *grown = counted_realloc(to->data, length, owner);
    if (!grown) return 0;
    to->data = grown;
    to->capacity = length;
  }
  memcpy(to->data, data, length);
  to->length = length;
  return 1;
}

/* The buffers are shared by all sessions: what is not complete goes to its own until more comes. */
int keep_head(session *owner) {
  if (!owner->head.open) return 1;
  head *it = &owner->head;
  return keep(&owner->kept_text, heads.data + it->start, heads.length - it->start, owner) &&
         keep(&owner->kept_offsets, offsets.data, offsets.length, owner) &&
         keep(&owner->kept_cookies, cookies.data, cookies.length, owner);
}

static int restore(buffer *to, buffer *kept, session *owner) {
  to->length = 0;
  int done = append(to, kept->data, kept->length);
  counted_free(kept->data, owner);
  memset(kept, 0, sizeof(buffer));
  return done;
}

int restore_head(session *owner) {
  heads.length = 0;
  if (!owner->head.open) return 1;
  owner->head.start = 0;
  return restore(&heads, &owner->kept_text, owner) &
         restore(&offsets, &owner->kept_offsets, owner) &
         restore(&cookies, &owner->kept_cookies, owner);
}

int on_begin_headers(nghttp2_session *http, const nghttp2_frame *frame, void *user) {
  session *owner = user;
  begin_head(owner);
  if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  return add_stream(owner, frame->hd.stream_id) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static size_t text_length(const head *it) { return heads.length - it->start; }

static int add_part(head *it, size_t *at, size_t *length, nghttp2_vec value) {
  *at = text_length(it);
  *length = value.len;
  return append(&heads, value.base, value.len);
}

static int pseudo(head *it, nghttp2_vec name, nghttp2_vec value) {
  switch (name.base[1]) {
  case 'm':
    return add_part(it, &it->method, &it->method_length, value);
  case 'p':
    return name.len == 5 ? add_part(it, &it->path, &it->path_length, value) : 1;
  case 'a':
    it->has_authority = 1;
    return add_part(it, &it->authority, &it->authority_length, value);
  case 's':
    if (name.len == 7 && name.base[2] == 't') {
      it->status = atoi((const char *)value.base);
    } else {
      it->scheme = value.len == 4 && !memcmp(value.base, "http", 4)    ? 1
                   : value.len == 5 && !memcmp(value.base, "https", 5) ? 2
                                                                       : 3;
    }
  }
  return 1;
}

static int add_field(head *it, const uint8_t *name, size_t name_length, const uint8_t *value,
                     size_t value_length) {
  if (!reserve(&heads, name_length + value_length + 4)) return 0;
  int32_t at = text_length(it) - it->line;
  int32_t spans[4] = {at, at + name_length, at + name_length + 2,
                      at + name_length + 2 + value_length};
  append(&heads, name, name_length);
  append(&heads, ": ", 2);
  append(&heads, value, value_length);
  append(&heads, "\r\n", 2);
  it->fields++;
  return append(&offsets, spans, sizeof(spans));
}

/* A part of the head that was appended before; appending may move it. */
static int append_part(head *it, size_t at, size_t length) {
  if (!reserve(&heads, length)) return 0;
  return append(&heads, heads.data + it->start + at, length);
}

/* The start line, once all pseudo-header fields are there. */
static int begin_fields(session *owner) {
  head *it = &owner->head;
  it->in_fields = 1;
  it->line = text_length(it);
  if (owner->server) {
    if (!it->method_length) {
      it->is_trailer = 1;
      return 1;
    }
    it->target_start = it->method_length + 1;
    it->target_end = it->target_start + it->path_length;
    int done = append_part(it, it->method, it->method_length) && append(&heads, " ", 1) &&
               append_part(it, it->path, it->path_length) && append(&heads, " HTTP/1.1\r\n", 11);
    if (!done || !it->has_authority) return done;
    if (!reserve(&heads, it->authority_length + 8)) return 0;
    return add_field(it, (const uint8_t *)"host", 4, heads.data + it->start + it->authority,
                     it->authority_length);
  }
  if (!it->status) {
    it->is_trailer = 1;
    return 1;
  }
  int status = it->status;
  char line[] = "HTTP/1.1 000 ";
  line[9] += status / 100 % 10;
  line[10] += status / 10 % 10;
  line[11] += status % 10;
  size_t length = status < 600 ? reason_lengths[status] : 0;
  it->target_start = 13;
  it->target_end = 13 + length;
  return append(&heads, line, 13) && append(&heads, length ? reasons[status] : "", length) &&
         append(&heads, "\r\n", 2);
}

static int field(session *owner, nghttp2_vec name, nghttp2_vec value) {
  head *it = &owner->head;
  if (name.base[0] == ':') return pseudo(it, name, value);
  if (!it->in_fields && !begin_fields(owner)) return 0;
  if (name.len == 6 && !memcmp(name.base, "cookie", 6) && !it->is_trailer) {
    /* RFC 9113 section 8.2.3: in HTTP/1.1 crumbs are one field. */
    return (!cookies.length || append(&cookies, "; ", 2)) && append(&cookies, value.base, value.len);
  }
  if (it->has_authority && name.len == 4 && !memcmp(name.base, "host", 4) &&
      value.len == it->authority_length &&
      !memcmp(value.base, heads.data + it->start + it->authority, value.len)) {
    return 1;
  }
  return add_field(it, name.base, name.len, value.base, value.len);
}

int on_header(nghttp2_session *http, const nghttp2_frame *frame, nghttp2_rcbuf *name,
              nghttp2_rcbuf *value, uint8_t flags, void *user) {
  session *owner = user;
  head *it = &owner->head;
  nghttp2_vec n = nghttp2_rcbuf_get_buf(name), v = nghttp2_rcbuf_get_buf(value);
  /* RFC 9113 section 6.5.2. */
  it->list_size += n.len + v.len + 32;
  if (it->list_size > owner->most_list_size || it->fields >= owner->most_fields) {
    it->refusal = NGHTTP2_ENHANCE_YOUR_CALM;
  }
  if (it->refusal) return 0;
  if (!field(owner, n, v)) return NGHTTP2_ERR_CALLBACK_FAILURE;
  /* A few bytes can stand for long fields: what they became is taken before more is read. */
  if (heads.length > pause_above && events.length > 0) {
    shared.paused = 1;
    return NGHTTP2_ERR_PAUSE;
  }
  return 0;
}

/* Each refusal is work that the peer caused for nothing: so many are an end with this code. */
int count_refusal(session *owner, uint32_t code) {
  uint64_t now = nghttp2_time_now_sec();
  if (now > owner->refusals_at) {
    uint64_t left = owner->refusals_left + (now - owner->refusals_at) * refusals_rate;
    owner->refusals_left = left > refusals_burst ? refusals_burst : left;
  }
  owner->refusals_at = now;
  if (owner->refusals_left == 0) {
    return nghttp2_session_terminate_session(owner->http, code);
  }
  owner->refusals_left--;
  return 0;
}

static int refuse(session *owner, int32_t id, uint32_t code) {
  int rv = count_refusal(owner, code);
  return rv ? rv : nghttp2_submit_rst_stream(owner->http, NGHTTP2_FLAG_NONE, id, code);
}

int end_head(session *owner, stream *of, const nghttp2_frame *frame) {
  head *it = &owner->head;
  it->open = 0;
  if (!of) return 0;
  if (it->refusal) return refuse(owner, of->id, it->refusal);
  if (!it->in_fields && !begin_fields(owner)) return NGHTTP2_ERR_CALLBACK_FAILURE;
  if (cookies.length && !add_field(it, (const uint8_t *)"cookie", 6, cookies.data, cookies.length))
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  if (!it->is_trailer && it->status >= 200) of->has_head = 1;
  of->announced = 1;
  int32_t words[12] = {it->is_trailer ? event_trailers : event_head,
                       of->id,
                       frame->hd.flags & NGHTTP2_FLAG_END_STREAM ? 1 : 0,
                       /* `heads` may move until all is read: JavaScript adds its address. */
                       it->start + it->line,
                       text_length(it) - it->line,
                       it->target_start,
                       it->target_end,
                       it->status,
                       it->scheme,
                       it->method_length,
                       it->fields,
                       0};
  int done = emit(words, 11) && append(&events, offsets.data, offsets.length);
  return done ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}
