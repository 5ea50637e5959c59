#include "session.h"
#include <string.h>

/* What JavaScript sends. Texts and bodies are in the input; below 0 is an error of nghttp2. */

/* A queue with more than this wants to be left alone for a while. */
static const size_t high_mark = 32768;

static char status_text[4];

static fields *response_fields(int status, size_t text) {
  fields *list = read_fields((char *)input.data, text, 1);
  status_text[0] = '0' + status / 100 % 10;
  status_text[1] = '0' + status / 10 % 10;
  status_text[2] = '0' + status % 10;
  if (list) set_pair(list, 0, ":status", status_text, 3);
  return list;
}

/* Sends the head of a response: `text` bytes of field lines, behind them `body` bytes of its body. */
int EXPORT(respond)(session *it, int32_t id, int status, size_t text, size_t body, int flags) {
  stream *to = stream_of(it, id);
  if (!to) return 0;
  fields *list = response_fields(status, text);
  if (!list || !enqueue(it, to, input.data + text, body)) return NGHTTP2_ERR_NOMEM;
  to->ended = (flags & flag_end) != 0;
  to->full = to->queued > high_mark;
  nghttp2_data_provider2 provider = body_of(to);
  int bodiless = to->ended && to->queued == 0;
  return nghttp2_submit_response2(it->http, id, list->pairs, list->count,
                                  bodiless ? NULL : &provider);
}

int EXPORT(interim)(session *it, int32_t id, int status, size_t text) {
  if (!stream_of(it, id)) return 0;
  fields *list = response_fields(status, text);
  if (!list) return NGHTTP2_ERR_NOMEM;
  return nghttp2_submit_headers(it->http, NGHTTP2_FLAG_NONE, id, NULL, list->pairs, list->count,
                                NULL);
}

/* Value of the first field with this lower-case name; its length in `length`. */
static char *value_of(char *text, char *end, const char *name, size_t *length) {
  size_t name_length = strlen(name);
  for (char *at = text; at < end;) {
    char *line_end = memchr(at, '\r', end - at);
    if (!line_end) break;
    if ((size_t)(line_end - at) > name_length && at[name_length] == ':' &&
        !strncasecmp(at, name, name_length)) {
      char *value = at + name_length + 1;
      while (value < line_end && (*value == ' ' || *value == '\t')) value++;
      while (line_end > value && (line_end[-1] == ' ' || line_end[-1] == '\t')) line_end--;
      *length = line_end - value;
      return value;
    }
    at = line_end + 2;
  }
  return NULL;
}

/* Sends a request with this head of HTTP/1.1. Returns the id of its stream. */
int EXPORT(request)(session *it, size_t text, size_t body, int flags) {
  char *start = (char *)input.data, *end = start + text;
  char *method_end = memchr(start, ' ', text);
  char *line_end = memchr(start, '\r', text);
  if (!method_end || !line_end || line_end - method_end < 10) return NGHTTP2_ERR_INVALID_ARGUMENT;
  char *lines = line_end + 2;
  size_t authority_length = 0;
  char *authority = value_of(lines, end, "host", &authority_length);
  size_t count = authority ? 4 : 3;
  fields *list = read_fields(lines, end - lines, count);
  stream *to = list ? add_stream(it, 0) : NULL;
  if (!to) return NGHTTP2_ERR_NOMEM;
  set_pair(list, 0, ":method", start, method_end - start);
  if (flags & flag_https) set_pair(list, 1, ":scheme", "https", 5);
  else set_pair(list, 1, ":scheme", "http", 4);
  /* " HTTP/1.1" is behind the target. */
  set_pair(list, 2, ":path", method_end + 1, line_end - 9 - (method_end + 1));
  if (authority) set_pair(list, 3, ":authority", authority, authority_length);
  to->announced = 1;
  to->ended = (flags & flag_end) != 0;
  nghttp2_data_provider2 provider = body_of(to);
  int32_t id = NGHTTP2_ERR_NOMEM;
  if (enqueue(it, to, input.data + text, body)) {
    int bodiless = to->ended && body == 0;
    id = nghttp2_submit_request2(it->http, NULL, list->pairs, list->count,
                                 bodiless ? NULL : &provider, to);
  }
  to->full = to->queued > high_mark;
  if (id < 0) remove_stream(it, to);
  else to->id = id;
  return id;
}

static void wake(session *it, stream *to) {
  if (!to->deferred) return;
  to->deferred = 0;
  nghttp2_session_resume_data(it->http, to->id);
}

/* More of a body. Returns the bytes that wait; below 0: an error of nghttp2. */
int EXPORT(send_data)(session *it, int32_t id, size_t length, int flags) {
  stream *to = stream_of(it, id);
  if (!to) return 0;
  if (!enqueue(it, to, input.data, length)) return NGHTTP2_ERR_NOMEM;
  if (flags & flag_end) to->ended = 1;
  if (to->queued > high_mark) to->full = 1;
  wake(it, to);
  return to->queued;
}

/* Ends a message by trailers. */
int EXPORT(send_trailers)(session *it, int32_t id, size_t text) {
  stream *to = stream_of(it, id);
  if (!to || to->trailers) return 0;
  to->trailers = counted_malloc(text + 1, it);
  if (!to->trailers) return NGHTTP2_ERR_NOMEM;
  memcpy(to->trailers, input.data, text);
  to->trailers_length = text;
  to->ended = 1;
  wake(it, to);
  return 0;
}

/* Resets a stream behind what waits to be sent on it. */
int EXPORT(cut)(session *it, int32_t id, uint32_t code) {
  stream *to = stream_of(it, id);
  if (!to) return 0;
  /* Without a head, or with an end that is on its way, there is nothing to wait for. */
  if (to->queued == 0 || to->ended) return nghttp2_submit_rst_stream(it->http, 0, id, code);
  to->cut = 1;
  to->cut_code = code;
  wake(it, to);
  return 0;
}

/* Asks the peer to stop once all that we send has gone. */
int EXPORT(refuse_rest)(session *it, int32_t id) {
  stream *of = stream_of(it, id);
  if (!of || nghttp2_session_get_stream_remote_close(it->http, id) == 1) return 0;
  of->refuse_rest = 1;
  if (nghttp2_session_get_stream_local_close(it->http, id) != 1) return 0;
  return nghttp2_submit_rst_stream(it->http, NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR);
}

int EXPORT(reset)(session *it, int32_t id, uint32_t code) {
  return nghttp2_submit_rst_stream(it->http, NGHTTP2_FLAG_NONE, id, code);
}

/* Whether what a stream receives goes back to its window. */
int EXPORT(set_flowing)(session *it, int32_t id, int flowing) {
  stream *of = stream_of(it, id);
  if (!of) return 0;
  of->flowing = flowing;
  size_t waiting = of->unconsumed;
  if (!flowing || waiting == 0) return 0;
  of->unconsumed = 0;
  return nghttp2_session_consume_stream(it->http, id, waiting);
}
