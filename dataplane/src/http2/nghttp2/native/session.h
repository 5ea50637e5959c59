#ifndef GATEHOUSE_SESSION_H
#define GATEHOUSE_SESSION_H

#include <nghttp2/nghttp2.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name))) name

/* What is written one after the other, and grows. */
typedef struct {
  uint8_t *data;
  size_t length;
  size_t capacity;
} buffer;

/* A part of a body that waits to be sent. */
typedef struct piece {
  struct piece *next;
  size_t length;
  size_t offset;
  uint8_t bytes[];
} piece;

struct session;

typedef struct stream {
  struct stream *next;
  struct stream *previous;
  int32_t id;
  /* JavaScript has been told of it. */
  uint8_t announced;
  /* A final head was read. */
  uint8_t has_head;
  /* What is received goes back to the peer's window at once. */
  uint8_t flowing;
  /* All of the body is in the queue. */
  uint8_t ended;
  /* nghttp2 found the queue empty. */
  uint8_t deferred;
  /* JavaScript waits for the queue to shrink. */
  uint8_t full;
  /* The rest of the request is not wanted once the response has gone (RFC 9113 section 8.1). */
  uint8_t refuse_rest;
  /* It is reset once the queue is empty. */
  uint8_t cut;
  uint32_t cut_code;
  /* Received while it did not flow. */
  size_t unconsumed;
  size_t queued;
  piece *first;
  piece *last;
  char *trailers;
  size_t trailers_length;
} stream;

/* The head that is being read; offsets are relative to `start`. */
typedef struct {
  uint8_t open;
  uint8_t in_fields;
  uint8_t is_trailer;
  uint8_t scheme;
  uint8_t has_authority;
  /* The error by which its stream is refused; 0: none. */
  uint32_t refusal;
  int32_t status;
  uint32_t list_size;
  uint32_t fields;
  /* Where its text begins in `heads`, and in it the parts of the request line as they came. */
  size_t start, line;
  size_t method, method_length, path, path_length, authority, authority_length;
  size_t target_start, target_end;
} head;

typedef struct session {
  nghttp2_session *http;
  stream *streams;
  uint8_t server;
  /* No more work: memory ran out or the peer misbehaves. */
  uint8_t broken;
  size_t allocated, most_allocated;
  uint32_t most_fields, most_list_size;
  uint32_t pings;
  /* Streams that may still be refused for what their heads say, and when they were last counted. */
  uint32_t refusals_left;
  uint64_t refusals_at;
  head head;
  /* Of the head that is being read, what came in earlier calls. */
  buffer kept_text, kept_offsets, kept_cookies;
} session;

enum { event_head = 1, event_data, event_end, event_trailers, event_closed, event_goaway,
       event_settings, event_pong, event_ping, event_writable };
enum { flag_end = 1, flag_https = 2 };

/* Where JavaScript finds what a call left. */
extern struct shared {
  uint32_t events, events_length, heads, out, out_length, paused, failing;
} shared;

extern const uint32_t refusals_burst;
extern buffer input, events, heads, offsets, cookies, out;
/* Where the chunk that is being read begins. */
extern const uint8_t *chunk;

/* 0: no memory. */
int reserve(buffer *target, size_t more);
int append(buffer *target, const void *data, size_t length);
int emit(const int32_t *words, size_t count);
void *counted_malloc(size_t size, void *owner);
void *counted_calloc(size_t count, size_t size, void *owner);
void *counted_realloc(void *pointer, size_t size, void *owner);
void counted_free(void *pointer, void *owner);

uint64_t nghttp2_time_now_sec(void);
void begin_head(session *owner);
int count_refusal(session *owner, uint32_t code);
int keep_head(session *owner);
int restore_head(session *owner);
int on_begin_headers(nghttp2_session *, const nghttp2_frame *, void *);
int on_header(nghttp2_session *, const nghttp2_frame *, nghttp2_rcbuf *, nghttp2_rcbuf *, uint8_t,
              void *);
int end_head(session *owner, stream *of, const nghttp2_frame *frame);

stream *add_stream(session *owner, int32_t id);
void remove_stream(session *owner, stream *gone);
stream *stream_of(session *owner, int32_t id);

/* Fields of `text` as pairs for nghttp2, behind `from` that are there. -1: no memory. */
typedef struct {
  nghttp2_nv *pairs;
  size_t count;
} fields;
fields *read_fields(char *text, size_t length, size_t from);
void set_pair(fields *list, size_t at, const char *name, char *value, size_t length);

int enqueue(session *owner, stream *to, const uint8_t *data, size_t length);
nghttp2_data_provider2 body_of(stream *from);
int on_send_data(nghttp2_session *, nghttp2_frame *, const uint8_t *, size_t, nghttp2_data_source *,
                 void *);

#endif
