#include "session.h"
#include <string.h>

/* A queue that has shrunk to this takes more. */
static const size_t low_mark = 16384;

int enqueue(session *owner, stream *to, const uint8_t *data, size_t length) {
  if (length == 0) return 1;
  piece *added = counted_malloc(sizeof(piece) + length, owner);
  if (!added) return 0;
  added->next = NULL;
  added->offset = 0;
  added->length = length;
  memcpy(added->bytes, data, length);
  if (to->last) to->last->next = added;
  else to->first = added;
  to->last = added;
  to->queued += length;
  return 1;
}

static int submit_trailers(session *owner, stream *from) {
  fields *list = read_fields(from->trailers, from->trailers_length, 0);
  if (!list) return NGHTTP2_ERR_NOMEM;
  return nghttp2_submit_trailer(owner->http, from->id, list->pairs, list->count);
}

static nghttp2_ssize on_read(nghttp2_session *http, int32_t id, uint8_t *to, size_t length,
                             uint32_t *flags, nghttp2_data_source *source, void *user) {
  stream *from = source->ptr;
  if (from->queued == 0 && !from->ended) {
    if (from->cut) nghttp2_submit_rst_stream(http, NGHTTP2_FLAG_NONE, id, from->cut_code);
    from->deferred = 1;
    return NGHTTP2_ERR_DEFERRED;
  }
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (from->queued > length) return length;
  if (from->ended) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (from->trailers) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      if (submit_trailers(user, from) != 0) return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
  }
  return from->queued;
}

nghttp2_data_provider2 body_of(stream *from) {
  nghttp2_data_provider2 provider = {.source = {.ptr = from}, .read_callback = on_read};
  return provider;
}

/* Frames go out as they are: nothing is ever padded. */
int on_send_data(nghttp2_session *http, nghttp2_frame *frame, const uint8_t *header, size_t length,
                 nghttp2_data_source *source, void *user) {
  session *owner = user;
  stream *from = source->ptr;
  if (!reserve(&out, length + 9)) return NGHTTP2_ERR_CALLBACK_FAILURE;
  append(&out, header, 9);
  size_t left = length;
  while (left > 0) {
    piece *first = from->first;
    size_t part = first->length - first->offset;
    if (part > left) part = left;
    append(&out, first->bytes + first->offset, part);
    first->offset += part;
    left -= part;
    if (first->offset < first->length) continue;
    from->first = first->next;
    if (!from->first) from->last = NULL;
    counted_free(first, owner);
  }
  from->queued -= length;
  if (from->full && from->queued <= low_mark) {
    from->full = 0;
    int32_t words[2] = {event_writable, from->id};
    if (!emit(words, 2)) return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
  return 0;
}
