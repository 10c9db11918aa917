/* The C interface, used from C11: segments one frame, a binary PPM file, twice, and prints what main.cpp prints.
 *   plain_c MODEL FRAME.ppm */
#include <rfseg/rfseg.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int messages = 0;

static void count_message(void* user, int32_t level, const char* message) {
  (void)level;
  if (user == &messages && message[0] != '\0') ++messages;
}

static void expect(int holds, const char* what) {
  if (holds) return;
  fprintf(stderr, "%s: %s\n", what, rfseg_last_error());
  exit(2);
}

static rfseg_frame read_ppm(const char* path) {
  rfseg_frame frame;
  FILE* file = fopen(path, "rb");
  size_t bytes;
  uint8_t* pixels;
  rfseg_frame_init(&frame, sizeof frame);
  expect(file != NULL && fscanf(file, "P6 %d %d 255", &frame.width, &frame.height) == 2 && fgetc(file) != EOF, path);
  bytes = 3 * (size_t)frame.width * (size_t)frame.height;
  pixels = malloc(bytes);
  expect(pixels != NULL && fread(pixels, 1, bytes, file) == bytes, path);
  fclose(file);
  frame.format = RFSEG_RGB8;
  frame.planes[0].data = pixels;
  return frame;
}

static void print_outlines(const rfseg_result* result, size_t i) {
  size_t polygons = 0, k;
  expect(rfseg_mask_polygons(result, i, RFSEG_EXTERNAL, &polygons) == RFSEG_OK, "polygons");
  printf(" %zu outlines:", polygons);
  for (k = 0; k < polygons; ++k) {
    const rfseg_point* points = NULL;
    size_t count = 0, rings = 0, p;
    expect(rfseg_mask_rings(result, i, RFSEG_EXTERNAL, k, &rings) == RFSEG_OK && rings == 1, "rings");
    expect(rfseg_mask_ring(result, i, RFSEG_EXTERNAL, k, 0, &points, &count) == RFSEG_OK, "ring");
    for (p = 0; p < count; ++p) printf(" %d,%d", points[p].x, points[p].y);
    expect(rfseg_mask_ring(result, i, RFSEG_EXTERNAL, k, 1, &points, &count) == RFSEG_INPUT_ERROR, "no hole");
  }
  printf("\n");
}

/* Runs, pixels and COCO's counts of one mask say the same. */
static void check_mask(const rfseg_result* result, const rfseg_columns* columns, size_t i) {
  const size_t pixels = (size_t)columns->height * (size_t)columns->width;
  const rfseg_run* runs = NULL;
  uint8_t* dense = malloc(pixels);
  size_t count = 0, in_runs = 0, in_pixels = 0, bytes = 0, k;
  char counts[4] = "";
  char* all;
  expect(rfseg_mask_runs(result, i, NULL, &count) == RFSEG_INPUT_ERROR && count == 0, "nothing else is written");
  expect(rfseg_mask_coco(result, i, NULL, 4, &bytes) == RFSEG_INPUT_ERROR && bytes == 0, "nor here");
  expect(dense != NULL && rfseg_mask_runs(result, i, &runs, &count) == RFSEG_OK && count > 0, "runs");
  expect(rfseg_mask_dense(result, i, dense) == RFSEG_OK, "dense");
  for (k = 0; k < count; ++k) in_runs += (size_t)(runs[k].end - runs[k].start);
  for (k = 0; k < pixels; ++k) in_pixels += dense[k];
  expect(in_runs == in_pixels, "area");
  free(dense);
  expect(rfseg_mask_coco(result, i, counts, sizeof counts, &bytes) == RFSEG_OK && bytes > sizeof counts, "counts");
  all = malloc(bytes);
  expect(all != NULL && rfseg_mask_coco(result, i, all, bytes, NULL) == RFSEG_OK, "all counts");
  expect(strlen(all) == bytes - 1 && strncmp(all, counts, 3) == 0 && strlen(counts) == 3, "counts that fit");
  free(all);
}

static void print_result(const rfseg_result* result) {
  rfseg_columns columns = {0};
  size_t i;
  columns.struct_bytes = sizeof columns;
  expect(rfseg_result_columns(result, &columns) == RFSEG_OK, "columns");
  printf("rfseg %s, %zu instances\n", rfseg_version(), columns.count);
  for (i = 0; i < columns.count; ++i) {
    printf("%s %.6f", rfseg_result_class_name(result, columns.class_id[i]), (double)columns.confidence[i]);
    expect(columns.xyxy[4 * i] < columns.xyxy[4 * i + 2], "box");
    print_outlines(result, i);
    check_mask(result, &columns, i);
  }
}

static void check_refusals(rfseg_segmenter* segmenter, const rfseg_frame* frame) {
  rfseg_frame wrong = *frame;
  rfseg_result* result = NULL;
  rfseg_segmenter* none = NULL;
  rfseg_options options;
  wrong.struct_bytes = sizeof wrong + 8;
  expect(rfseg_infer(segmenter, &wrong, NULL, &result) == RFSEG_INPUT_ERROR && result == NULL, "a later struct");
  expect(strstr(rfseg_last_error(), "struct_bytes") != NULL, "what is wrong with it");
  wrong = *frame;
  wrong.format = 99;
  expect(rfseg_infer(segmenter, &wrong, NULL, &result) == RFSEG_INPUT_ERROR, "a format that is none");
  expect(rfseg_infer(NULL, frame, NULL, &result) == RFSEG_INPUT_ERROR, "NULL");
  expect(rfseg_open("no such file.onnx", NULL, &none) == RFSEG_MODEL_ERROR && none == NULL, "no model");
  rfseg_options_init(&options, sizeof options);
  options.onnxruntime = "/no/such/library.so";
  expect(rfseg_open("no such file.onnx", &options, NULL) == RFSEG_INPUT_ERROR, "nowhere to write");
  rfseg_close(NULL);
  rfseg_result_free(NULL);
  rfseg_ticket_free(NULL);
}

/* A caller of an older version has a shorter struct, and what it ends before takes its default. */
static void check_shorter_frame(rfseg_segmenter* segmenter, const rfseg_frame* frame, rfseg_result** result) {
  rfseg_frame shorter;
  memset(&shorter, 0x5a, sizeof shorter);
  memcpy(&shorter, frame, offsetof(rfseg_frame, pixel_bytes));
  shorter.struct_bytes = offsetof(rfseg_frame, pixel_bytes);
  expect(rfseg_infer(segmenter, &shorter, NULL, result) == RFSEG_OK, "a shorter struct");
}

int main(int argc, char** argv) {
  rfseg_options options;
  rfseg_frame_options nothing;
  rfseg_segmenter* segmenter = NULL;
  rfseg_ticket* ticket = NULL;
  rfseg_result *result = NULL, *again = NULL;
  rfseg_columns columns = {0};
  rfseg_frame frame;
  if (argc != 3) return fprintf(stderr, "usage: plain_c MODEL FRAME.ppm\n"), 1;
  frame = read_ppm(argv[2]);
  rfseg_options_init(&options, sizeof options);
  options.device = "auto";
  options.log = count_message;
  options.log_user = &messages;
  expect(rfseg_open(argv[1], &options, &segmenter) == RFSEG_OK, "open");
  expect(messages > 0, "a message for the log");

  check_shorter_frame(segmenter, &frame, &result);
  expect(rfseg_submit(segmenter, &frame, NULL, &ticket) == RFSEG_OK, "submit");
  expect(rfseg_ticket_take(ticket, &again) == RFSEG_OK && rfseg_ticket_ready(ticket) == 1, "take");
  rfseg_result_free(again);
  again = NULL;
  expect(rfseg_ticket_take(ticket, &again) == RFSEG_INPUT_ERROR && again == NULL, "taken once");
  expect(rfseg_ticket_cancel(ticket) == 0, "too late to cancel");
  rfseg_ticket_free(ticket);

  rfseg_frame_options_init(&nothing, sizeof nothing);
  nothing.has_threshold = 1;
  nothing.threshold = 1.0F;
  expect(rfseg_infer(segmenter, &frame, &nothing, &again) == RFSEG_OK, "infer");
  columns.struct_bytes = sizeof columns;
  expect(rfseg_result_columns(again, &columns) == RFSEG_OK && columns.count == 0, "nothing above 1");
  rfseg_result_free(again);
  check_refusals(segmenter, &frame);
  rfseg_close(segmenter);

  print_result(result); /* which outlives the segmenter */
  rfseg_result_free(result);
  free((void*)(uintptr_t)frame.planes[0].data);
  return 0;
}
