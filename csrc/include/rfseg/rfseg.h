/* The C interface: the same core behind opaque handles and plain structs, for C and for languages that call C.
 *
 * Structs open with `struct_bytes`, their size as the caller compiled them: a later library gives fields that an older
 * caller does not know their defaults, and an older library refuses what it does not know. Strings are UTF-8 and
 * NUL-terminated. A function that fails returns its status, writes nothing else, and leaves a sentence in
 * rfseg_last_error(). Handles may be used from every thread, and freed once, by one, when no call uses them. */
#ifndef RFSEG_RFSEG_H
#define RFSEG_RFSEG_H

#include <rfseg/export.hpp>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rfseg_status {
  RFSEG_OK = 0,
  RFSEG_ERROR = 1,         /* of no kind below */
  RFSEG_INPUT_ERROR = 2,   /* an argument cannot be used */
  RFSEG_MODEL_ERROR = 3,   /* the model is missing, unreadable, or no RF-DETR segmentation network */
  RFSEG_BACKEND_ERROR = 4, /* no library or device that could run it */
  RFSEG_CUDA_ERROR = 5     /* a call of the CUDA driver failed */
} rfseg_status;

typedef struct rfseg_segmenter rfseg_segmenter;
typedef struct rfseg_result rfseg_result;
typedef struct rfseg_ticket rfseg_ticket;

enum { RFSEG_LOG_DEBUG, RFSEG_LOG_INFO, RFSEG_LOG_WARNING, RFSEG_LOG_ERROR };
enum { RFSEG_RESIZE_AUTO, RFSEG_RESIZE_PIL, RFSEG_RESIZE_BILINEAR };
enum { RFSEG_BGR8, RFSEG_RGB8, RFSEG_NV12, RFSEG_I420, RFSEG_I422, RFSEG_I444, RFSEG_P010, RFSEG_I010 };
enum { RFSEG_MATRIX_UNSTATED, RFSEG_BT601, RFSEG_BT709, RFSEG_BT2020 };
enum { RFSEG_RANGE_UNSTATED, RFSEG_RANGE_LIMITED, RFSEG_RANGE_FULL };
enum { RFSEG_HOST, RFSEG_DEVICE };
enum { RFSEG_EXTERNAL, RFSEG_TREE, RFSEG_LARGEST, RFSEG_EDGE };

/* Called by one thread at a time; must return. */
typedef void (*rfseg_log_callback)(void* user, int32_t level, const char* message);

/* Fill with rfseg_options_init, then change what is wanted. The fields mean what rfseg::Options says. */
typedef struct rfseg_options {
  size_t struct_bytes;
  const char* device; /* NULL: "auto" */
  float threshold;
  int32_t max_detections;
  int32_t resize;
  int32_t slots, lanes, max_batch, threads;
  int32_t allow_engine_code;
  const char* names;       /* NULL: what the model says; "coco" or a file */
  const char* onnxruntime; /* NULL: searched for */
  const char* tensorrt;    /* NULL: searched for */
  rfseg_log_callback log;  /* NULL: silent */
  void* log_user;
} rfseg_options;

typedef struct rfseg_plane {
  const uint8_t* data;
  ptrdiff_t row_bytes; /* 0: packed; may be negative */
} rfseg_plane;

/* Pixels that are read during the call they are passed to. Fill with rfseg_frame_init. */
typedef struct rfseg_frame {
  size_t struct_bytes;
  int32_t height, width; /* px */
  int32_t format;
  int32_t memory;
  rfseg_plane planes[3];                /* pixels; or Y and CbCr; or Y, Cb and Cr */
  ptrdiff_t pixel_bytes, channel_bytes; /* of BGR and RGB: 3 and 1 */
  int32_t matrix, range;                /* of Y'CbCr */
  int32_t has_producer_stream;          /* device memory only: `producer_stream` is a CUDA stream */
  uintptr_t producer_stream;
} rfseg_frame;

/* What one frame asks for instead. Fill with rfseg_frame_options_init. */
typedef struct rfseg_frame_options {
  size_t struct_bytes;
  int32_t has_threshold;
  float threshold;
  int32_t has_classes; /* only `class_ids` are kept */
  const int32_t* class_ids;
  size_t class_count;
} rfseg_frame_options;

/* Columns of `count` rows in descending order of confidence; valid as long as the result. */
typedef struct rfseg_columns {
  size_t struct_bytes;
  int32_t height, width; /* of the frame, px */
  size_t count;
  const float* xyxy; /* [count, 4] px */
  const float* confidence;
  const int32_t* class_id;
} rfseg_columns;

/* Foreground pixels [start, end), counted down the columns: pixel (x, y) is x * height + y. */
typedef struct rfseg_run {
  int32_t start, end;
} rfseg_run;

typedef struct rfseg_point {
  int32_t x, y;
} rfseg_point;

RFSEG_API const char* rfseg_version(void);
RFSEG_API const char* rfseg_last_error(void); /* of the last failure on this thread; never NULL; until the next one */

RFSEG_API void rfseg_options_init(rfseg_options* options, size_t struct_bytes);
RFSEG_API void rfseg_frame_init(rfseg_frame* frame, size_t struct_bytes);
RFSEG_API void rfseg_frame_options_init(rfseg_frame_options* options, size_t struct_bytes);

/* Waits until the model is loaded. `options` NULL: the defaults. */
RFSEG_API rfseg_status rfseg_open(const char* model, const rfseg_options* options, rfseg_segmenter** segmenter);
RFSEG_API void rfseg_close(rfseg_segmenter* segmenter); /* waits for the frames in flight; NULL is allowed, as below */

/* Waits for the result, which is the caller's to free. `options` NULL: as opened. */
RFSEG_API rfseg_status rfseg_infer(rfseg_segmenter* segmenter, const rfseg_frame* frame,
                                   const rfseg_frame_options* options, rfseg_result** result);

/* Starts a frame. Waits while all slots are in flight, and while the frame is read. A ticket is the caller's to free,
 * also when it was taken or cancelled; it may outlive the segmenter. */
RFSEG_API rfseg_status rfseg_submit(rfseg_segmenter* segmenter, const rfseg_frame* frame,
                                    const rfseg_frame_options* options, rfseg_ticket** ticket);
RFSEG_API int32_t rfseg_ticket_ready(const rfseg_ticket* ticket);  /* 1: the result or the error is there */
RFSEG_API int32_t rfseg_ticket_cancel(const rfseg_ticket* ticket); /* 1: it had not started and never will */
RFSEG_API rfseg_status rfseg_ticket_take(const rfseg_ticket* ticket, rfseg_result** result); /* waits; once */
RFSEG_API void rfseg_ticket_free(rfseg_ticket* ticket);

RFSEG_API void rfseg_result_free(rfseg_result* result);
RFSEG_API rfseg_status rfseg_result_columns(const rfseg_result* result, rfseg_columns* columns); /* set struct_bytes */
RFSEG_API const char* rfseg_result_class_name(const rfseg_result* result, int32_t class_id);     /* NULL: has no name */

/* Of the mask of instance `i`. What is pointed to is valid as long as the result. */
RFSEG_API rfseg_status rfseg_mask_runs(const rfseg_result* result, size_t i, const rfseg_run** runs, size_t* count);
RFSEG_API rfseg_status rfseg_mask_dense(const rfseg_result* result, size_t i, uint8_t* pixels); /* height * width */
/* COCO's compressed counts. Writes what fits into `capacity` bytes with its NUL; `bytes` is what all of it takes. */
RFSEG_API rfseg_status rfseg_mask_coco(const rfseg_result* result, size_t i, char* counts, size_t capacity,
                                       size_t* bytes);
/* Polygons of the outlines `mode`. Ring 0 of a polygon is its exterior, the others are its holes. */
RFSEG_API rfseg_status rfseg_mask_polygons(const rfseg_result* result, size_t i, int32_t mode, size_t* polygons);
RFSEG_API rfseg_status rfseg_mask_rings(const rfseg_result* result, size_t i, int32_t mode, size_t polygon,
                                        size_t* rings);
RFSEG_API rfseg_status rfseg_mask_ring(const rfseg_result* result, size_t i, int32_t mode, size_t polygon, size_t ring,
                                       const rfseg_point** points, size_t* count);

#ifdef __cplusplus
}
#endif

#endif
