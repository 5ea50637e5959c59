#include "session.h"
#include "nghttp2_session.h"
#include <stdlib.h>
#include <string.h>

/* Answers that wait for a peer who does not read. */
static const size_t most_outbound = 4000;
static uint32_t random_state = 1;

static void on_random(uint8_t *to, size_t length) {
  for (size_t i = 0; i < length; i++) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    to[i] = random_state >> 8;
  }
}

void EXPORT(init)(uint32_t seed) { random_state = seed ? seed : 1; }

struct shared *EXPORT(shared_words)(void) { return &shared; }

/* Room for so many bytes from JavaScript. 0: no memory. */
uint8_t *EXPORT(input_room)(size_t size) {
  input.length = 0;
  return reserve(&input, size) ? input.data : NULL;
}

stream *add_stream(session *owner, int32_t id) {
  stream *added = counted_calloc(1, sizeof(stream), owner);
  if (!added) return NULL;
  added->id = id;
  added->flowing = 1;
  added->next = owner->streams;
  if (added->next) added->next->previous = added;
  owner->streams = added;
  if (owner->server) nghttp2_session_set_stream_user_data(owner->http, id, added);
  return added;
}

void remove_stream(session *owner, stream *gone) {
  for (piece *at = gone->first; at;) {
    piece *next = at->next;
    counted_free(at, owner);
    at = next;
  }
  counted_free(gone->trailers, owner);
  if (gone->previous) gone->previous->next = gone->next;
  else owner->streams = gone->next;
  if (gone->next) gone->next->previous = gone->previous;
  counted_free(gone, owner);
}

stream *stream_of(session *owner, int32_t id) {
  stream *found = nghttp2_session_get_stream_user_data(owner->http, id);
  if (found || owner->server) return found;
  /* A request that has not gone out yet: it is one of the last. */
  for (stream *at = owner->streams; at && at->id >= id; at = at->next) {
    if (at->id == id) return at;
  }
  return NULL;
}

static int emitted(const int32_t *words, size_t count) {
  return emit(words, count) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_frame_recv(nghttp2_session *http, const nghttp2_frame *frame, void *user) {
  session *owner = user;
  int32_t id = frame->hd.stream_id;
  switch (frame->hd.type) {
  case NGHTTP2_HEADERS:
    return end_head(owner, stream_of(owner, id), frame);
  case NGHTTP2_DATA: {
    stream *of = stream_of(owner, id);
    int ends = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    if (!ends && frame->hd.length == 0) return count_refusal(owner, NGHTTP2_PROTOCOL_ERROR);
    if (!ends || !of || !of->announced) return 0;
    return emitted((int32_t[]){event_end, id}, 2);
  }
  case NGHTTP2_SETTINGS:
    if (frame->hd.flags & NGHTTP2_FLAG_ACK) return 0;
    return emitted((int32_t[]){event_settings,
                               nghttp2_session_get_remote_settings(
                                 http, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)},
                   2);
  case NGHTTP2_PING:
    if (!(frame->hd.flags & NGHTTP2_FLAG_ACK)) return emitted((int32_t[]){event_ping}, 1);
    /* An answer to nothing. */
    if (owner->pings == 0) return nghttp2_session_terminate_session(http, NGHTTP2_PROTOCOL_ERROR);
    owner->pings--;
    return emitted((int32_t[]){event_pong}, 1);
  case NGHTTP2_GOAWAY:
    return emitted(
      (int32_t[]){event_goaway, frame->goaway.last_stream_id, frame->goaway.error_code}, 3);
  }
  return 0;
}

static int on_data(nghttp2_session *http, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t length, void *user) {
  session *owner = user;
  stream *of = stream_of(owner, id);
  /* The window of the connection is for all: a stream that stands still must not stop the others. */
  if (nghttp2_session_consume_connection(http, length) != 0) return NGHTTP2_ERR_CALLBACK_FAILURE;
  if (!of || of->flowing) nghttp2_session_consume_stream(http, id, length);
  else of->unconsumed += length;
  if (!of || !of->announced) return 0;
  return emitted((int32_t[]){event_data, id, data - chunk, length}, 4);
}

static int closed(session *owner, stream *gone, uint32_t code) {
  int rv = gone->announced ? emitted((int32_t[]){event_closed, gone->id, code}, 3) : 0;
  remove_stream(owner, gone);
  return rv;
}

static int on_stream_close(nghttp2_session *http, int32_t id, uint32_t code, void *user) {
  stream *gone = stream_of(user, id);
  return gone ? closed(user, gone, code) : 0;
}

/* A request that never went out has no stream that could close. */
static int on_frame_not_send(nghttp2_session *http, const nghttp2_frame *frame, int error,
                             void *user) {
  session *owner = user;
  if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  if (nghttp2_session_get_stream_user_data(http, frame->hd.stream_id)) return 0;
  stream *gone = stream_of(owner, frame->hd.stream_id);
  return gone ? closed(owner, gone, NGHTTP2_REFUSED_STREAM) : 0;
}

static int on_frame_send(nghttp2_session *http, const nghttp2_frame *frame, void *user) {
  if (!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) || frame->hd.type > NGHTTP2_HEADERS) return 0;
  int32_t id = frame->hd.stream_id;
  stream *of = stream_of(user, id);
  if (!of || !of->refuse_rest || nghttp2_session_get_stream_remote_close(http, id) == 1) return 0;
  return nghttp2_submit_rst_stream(http, NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR);
}

static int on_invalid_frame(nghttp2_session *http, const nghttp2_frame *frame, int error,
                            void *user) {
  return count_refusal(user, NGHTTP2_PROTOCOL_ERROR) ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static nghttp2_session_callbacks *callbacks_of_all(void) {
  static nghttp2_session_callbacks *made;
  if (made || nghttp2_session_callbacks_new(&made) != 0) return made;
  nghttp2_session_callbacks_set_on_begin_headers_callback(made, on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback2(made, on_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(made, on_frame_recv);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, on_invalid_frame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(made, on_stream_close);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(made, on_frame_not_send);
  nghttp2_session_callbacks_set_on_frame_send_callback(made, on_frame_send);
  nghttp2_session_callbacks_set_send_data_callback(made, on_send_data);
  nghttp2_session_callbacks_set_rand_callback(made, on_random);
  return made;
}

static nghttp2_option *options_for(size_t send_block) {
  nghttp2_option *option;
  if (nghttp2_option_new(&option) != 0) return NULL;
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_max_outbound_ack(option, 1000);
  nghttp2_option_set_max_settings(option, 16);
  nghttp2_option_set_max_continuations(option, 8);
  nghttp2_option_set_stream_reset_rate_limit(option, 500, 33);
  nghttp2_option_set_glitch_rate_limit(option, 1000, 33);
  nghttp2_option_set_max_send_header_block_length(option, send_block);
  return option;
}

int EXPORT(session_free)(session *gone) {
  while (gone->streams) remove_stream(gone, gone->streams);
  if (gone->http) nghttp2_session_del(gone->http);
  counted_free(gone->kept_text.data, gone);
  counted_free(gone->kept_offsets.data, gone);
  counted_free(gone->kept_cookies.data, gone);
  free(gone);
  return 0;
}

/* 0: no memory. */
session *EXPORT(session_new)(int server, uint32_t most_streams, uint32_t stream_window,
                             uint32_t connection_window, uint32_t most_list_size,
                             uint32_t most_fields, uint32_t most_memory) {
  session *made = calloc(1, sizeof(session));
  nghttp2_session_callbacks *callbacks = callbacks_of_all();
  nghttp2_option *option = options_for(1048576);
  if (!made || !callbacks || !option) {
    free(made);
    if (option) nghttp2_option_del(option);
    return NULL;
  }
  made->server = server;
  made->most_allocated = most_memory;
  made->most_list_size = most_list_size;
  made->most_fields = most_fields;
  made->refusals_left = refusals_burst;
  made->refusals_at = nghttp2_time_now_sec();
  nghttp2_mem mem = {made, counted_malloc, counted_free, counted_calloc, counted_realloc};
  int rv = server ? nghttp2_session_server_new3(&made->http, callbacks, made, option, &mem)
                  : nghttp2_session_client_new3(&made->http, callbacks, made, option, &mem);
  nghttp2_option_del(option);
  nghttp2_settings_entry settings[] = {
    {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, stream_window},
    {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, most_list_size},
    {server ? NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS : NGHTTP2_SETTINGS_ENABLE_PUSH,
     server ? most_streams : 0},
  };
  if (rv == 0) rv = nghttp2_submit_settings(made->http, NGHTTP2_FLAG_NONE, settings, 3);
  if (rv == 0) {
    rv = nghttp2_session_set_local_window_size(made->http, NGHTTP2_FLAG_NONE, 0, connection_window);
  }
  if (rv == 0) return made;
  session_free(made);
  return NULL;
}

static void begin_events(void) {
  events.length = 0;
  shared.paused = 0;
  shared.failing = 0;
}

static void end_events(void) {
  shared.events = (uint32_t)events.data;
  shared.events_length = events.length / sizeof(int32_t);
  shared.heads = (uint32_t)heads.data;
  shared.out = (uint32_t)out.data;
  shared.out_length = out.length;
}

/* Reads `length` bytes of the input, or fewer when `shared.paused`. Below 0: an error of nghttp2. */
int EXPORT(receive)(session *it, size_t length) {
  begin_events();
  if (it->broken) return NGHTTP2_ERR_NOMEM;
  if (!restore_head(it)) return NGHTTP2_ERR_NOMEM;
  chunk = input.data;
  int read = nghttp2_session_mem_recv2(it->http, input.data, length);
  if (read >= 0 && !keep_head(it)) read = NGHTTP2_ERR_NOMEM;
  if (read >= 0 && nghttp2_session_get_outbound_queue_size(it->http) > most_outbound) {
    read = NGHTTP2_ERR_FLOODED;
  }
  if (read < 0) it->broken = 1;
  shared.failing = read < 0 || (it->http->goaway_flags & NGHTTP2_GOAWAY_TERM_ON_SEND) != 0;
  end_events();
  return read;
}

/* Collects what is to be sent, about `most` bytes of it. Below 0: an error of nghttp2. */
int EXPORT(collect)(session *it, size_t most) {
  begin_events();
  out.length = 0;
  while (out.length < most && !it->broken) {
    const uint8_t *data;
    nghttp2_ssize length = nghttp2_session_mem_send2(it->http, &data);
    if (length < 0) it->broken = 1;
    if (length <= 0) break;
    if (!append(&out, data, length)) it->broken = 1;
  }
  end_events();
  return it->broken ? NGHTTP2_ERR_NOMEM : (int)out.length;
}

/* 1: it wants to read, 2: it wants to send. */
int EXPORT(wants)(session *it) {
  return (nghttp2_session_want_read(it->http) ? 1 : 0) |
         (nghttp2_session_want_write(it->http) ? 2 : 0);
}

/* Bytes that the session has allocated. */
size_t EXPORT(allocated)(session *it) { return it->allocated; }

int EXPORT(ping)(session *it) {
  it->pings++;
  return nghttp2_submit_ping(it->http, NGHTTP2_FLAG_NONE, NULL);
}

/* Announces that a GOAWAY follows (RFC 9113 section 6.8). */
int EXPORT(notice)(session *it) { return nghttp2_submit_shutdown_notice(it->http); }

/* Sends GOAWAY and is done with it. */
int EXPORT(terminate)(session *it, uint32_t code) {
  return nghttp2_session_terminate_session(it->http, code);
}

/* Takes no more streams of the peer; those that are open go on. */
int EXPORT(goaway)(session *it, uint32_t code) {
  return nghttp2_submit_goaway(it->http, NGHTTP2_FLAG_NONE,
                               nghttp2_session_get_last_proc_stream_id(it->http), code, NULL, 0);
}
